/**
 * The links that code caches are made from (warm.ts), and a part of those by which pages are made small (ordinary-links.ts): of the demo's
 * objects, with the command lines of compilers.
 */
import * as fs from "node:fs";
import * as path from "node:path";

/** A GNU archive: `members` are file names of objects with the global names they define; names of files that are too long for a header are in a table. */
function archive(members: readonly [string, readonly string[]][]): Buffer {
  const header = (name: string, bytes: number): string => `${name.padEnd(48)}${String(bytes).padEnd(10)}\`\n`;
  const even = (bytes: Buffer): Buffer => (bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from("\n")]));
  const symbols = members.flatMap(([, names], i) => names.map((name) => ({ name, i })));
  const isLong = (file: string): boolean => path.basename(file).length > 15;
  const longNames = even(Buffer.from(members.map(([file]) => (isLong(file) ? `${path.basename(file)}/\n` : "")).join("")));
  const names = even(Buffer.from(symbols.map(({ name }) => `${name}\0`).join("")));
  const index = Buffer.alloc(4 + 4 * symbols.length);
  const parts = [Buffer.from("!<arch>\n" + header("/", index.length + names.length)), index, names, Buffer.from(header("//", longNames.length)), longNames];
  const starts: number[] = [];
  let long = 0;
  for (const [file] of members) {
    const bytes = fs.readFileSync(file);
    starts.push(parts.reduce((sum, part) => sum + part.length, 0));
    parts.push(Buffer.from(header(isLong(file) ? `/${long}` : `${path.basename(file)}/`, bytes.length)), even(bytes));
    if (isLong(file)) long += `${path.basename(file)}/\n`.length;
  }
  index.writeUInt32BE(symbols.length, 0);
  symbols.forEach(({ i }, k) => index.writeUInt32BE(starts[i]!, 4 + 4 * k));
  return Buffer.concat(parts);
}

/**
 * Command lines: a library from objects, then programs that use it, dynamic and static, with what gcc passes: what is compiled for
 * them is in the code cache, everything else is compiled when it is called. They write to `folder`; the demo's objects are in `objects`.
 */
export function warmLinks(folder: string, objects = "build/demo"): string[][] {
  const [start, print, steps, runtime, library] = ["start.o", "print.o", "steps.o", "runtime.o", "library.o"].map((name) => path.join(objects, name)) as [string, string, string, string, string];
  const file = (name: string): string => path.join(folder, name);
  fs.writeFileSync(file("libsteps.so"), `/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( ${file("libsteps.so.1")} AS_NEEDED ( libsteps.so.1 ) )\n`);
  fs.writeFileSync(file("steps.map"), "STEPS_1 { global: steps; }; STEPS_2 { global: print; local: *; } STEPS_1;\n");
  fs.writeFileSync(file("libprint.a"), archive([[print, ["print", "unused"]], [steps, ["steps"]]]));
  // Objects of more than 64 KiB are read in parts.
  const large = file("a-member-that-is-large.o");
  fs.writeFileSync(large, Buffer.concat([fs.readFileSync(library), Buffer.alloc(1 << 17)]));
  fs.writeFileSync(file("libunused.a"), archive([[print, ["unused"]], [large, ["library"]]]));
  fs.writeFileSync(file("liblibrary.a"), archive([[large, ["library", "length", "_init", "_fini", "_copy"]], [print, ["print"]]]));
  const driver = ["--build-id", "--eh-frame-hdr", "-m", "elf_x86_64", "--hash-style=gnu", "--as-needed", "--threads=1"];
  fs.writeFileSync(file("arguments"), driver.join("\n"));
  return [
    ["-shared", "-soname", "libsteps.so.1", "--version-script", file("steps.map"), "-o", file("libsteps.so.1"), steps, print],
    ["-shared", "-soname", "libruntime.so", "-o", file("libruntime.so"), runtime, `-L${folder}`, "-lsteps"],
    [
      `@${file("arguments")}`, "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-pie", "--allow-shlib-undefined",
      "-o", file("program"), start, runtime, `-L${folder}`, "-lunused", "--push-state", "--as-needed", "-lsteps", "--pop-state", "-lruntime",
    ],
    [...driver, "--gc-sections", "-static", "-z", "relro", "-o", file("static"), start, `-L${folder}`, "--start-group", "-lprint", "-lunused", "--end-group"],
    ["--gc-sections", "--build-id", "-static", "-o", file("static"), start, print, steps, runtime],
    // The file is large because of its pages, which is what one with large sections takes.
    [...driver, "--gc-sections", "-static", "-z", "separate-code", "-z", "max-page-size=0x200000", "-u", "library", "-o", file("large"), library, start, steps, "--start-group", `-L${folder}`, "-llibrary", "--end-group"],
    ["-shared", "--gc-sections", "--version-script", file("steps.map"), "-o", file("libcomplete.so"), steps, print],
    [...driver, "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-pie", "-z", "separate-code", "-z", "max-page-size=0x200000", "-o", file("program"), start, large, `-L${folder}`, "-lcomplete", "-lruntime"],
    [...driver, "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-pie", "--gc-sections", "-o", file("program"), start, runtime, library, `-L${folder}`, "-lcomplete", "-lruntime"],
  ];
}
