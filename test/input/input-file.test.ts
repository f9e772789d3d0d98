/** A file as load-inputs sees it: short reads, its end, closing. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { HostError } from "../../ts/host/host.ts";
import { OpenFile, type InputHost } from "../../ts/input/input-file.ts";
import { EM_X86_64 } from "../../as-kernels/shared/elf.ts";
import { latin1 } from "./fixture.ts";

const inputFile = suite("input-file");

/** A host with one file, of which a read gives at most `most` bytes. */
function hostOf(contents: Uint8Array, most: number, bytes = contents.length): InputHost & { open_: number } {
  return {
    open_: 0,
    open() {
      this.open_++;
      return 3;
    },
    size: () => bytes,
    read(_fd, into, position) {
      const part = contents.subarray(position, position + Math.min(most, into.length));
      into.set(part);
      return part.length;
    },
    close() {
      this.open_--;
    },
  };
}

inputFile("what comes in parts is put together", () => {
  const text = "GROUP ( a.o b.o )\n";
  for (const most of [1, 5, 100]) {
    const host = hostOf(latin1(text), most);
    const file = new OpenFile(host, "x", EM_X86_64);
    assert.is(file.text(), text);
    const target = new Uint8Array(8).fill(0xee);
    assert.is(file.read(target, 12), 6);
    assert.equal([...target], [...latin1(text).slice(12), 0xee, 0xee]);
    assert.is(file.read(target, text.length), 0);
    file.close();
    assert.is(host.open_, 0);
  }
});

inputFile("a file that cannot be read is closed", () => {
  const host = hostOf(latin1("x"), 1);
  host.read = () => {
    throw new HostError("EIO", "Input/output error");
  };
  assert.throws(() => new OpenFile(host, "x", EM_X86_64), /Input\/output error/);
  assert.is(host.open_, 0);
});

inputFile("a script is read whole or not at all", () => {
  const file = new OpenFile(hostOf(latin1("x"), 1, 2 ** 24 + 1), "x", EM_X86_64);
  assert.throws(() => file.text(), (error: unknown) => error instanceof HostError && error.code === "EFBIG");
});

inputFile.run();
