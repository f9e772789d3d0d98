/** The generator behind --shuffle-sections: C++'s std::mt19937. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MersenneTwister } from "../../ts/passes/section-order/shuffle-sections.ts";

test("the ten thousandth number of the default seed is the one the C++ standard names", () => {
  const random = new MersenneTwister(5489);
  let last = 0;
  for (let i = 0; i < 10000; i++) last = random.next();
  assert.is(last, 4123659995);
});

test.run();
