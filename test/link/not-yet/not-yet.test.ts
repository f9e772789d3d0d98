/** Options that are understood but cannot be obeyed yet say so: an error where the output would mean something else. */
import { assert, behaviour, contains, linkerName } from "../../helpers/link.ts";

const notYet = behaviour("options that cannot be obeyed yet");

notYet("--emit-relocs is an error", (w) => {
  if (linkerName !== "wield") return;
  w.write({ "m.c": "int main(void) { return 0; }" }).sh("gcc -c m.c");
  contains(w.fails("gcc -B$B m.o -Wl,--emit-relocs -o m"), /--emit-relocs is not supported yet/);
  assert.is(w.try("test -e m").status, 1, "no output");
});

notYet.run();
