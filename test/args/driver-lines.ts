/**
 * What compilers and build tools pass to `ld`, captured with a logging linker and shortened in the number of inputs only.
 *
 * Each line must parse without error or warning. `check` names what the line is about.
 */
import type { LinkOptions } from "../../ts/args/link-options.ts";

export interface DriverLine {
  name: string;
  argv: string[];
  check?: (o: LinkOptions) => boolean;
}

const PLUG = "-plugin /usr/lib/gcc/liblto_plugin.so -plugin-opt=/usr/lib/gcc/lto-wrapper -plugin-opt=-fresolution=/tmp/ccX.res -plugin-opt=-pass-through=-lgcc -plugin-opt=-pass-through=-lgcc_s -plugin-opt=-pass-through=-lc";
const GCC = `${PLUG} --build-id --eh-frame-hdr -m elf_x86_64 --hash-style=gnu --as-needed`;
const DYNAMIC = "-dynamic-linker /lib64/ld-linux-x86-64.so.2";
const CRT = "Scrt1.o crti.o crtbeginS.o -L/usr/lib/gcc/x86_64-linux-gnu/12 -L/usr/lib";
const LIBS = "-lgcc --push-state --as-needed -lgcc_s --pop-state -lc -lgcc --push-state --as-needed -lgcc_s --pop-state crtendS.o crtn.o";
const GROUP = "--start-group -lgcc -lgcc_eh -lc --end-group crtend.o crtn.o";
const CLANG = `--hash-style=gnu --build-id --eh-frame-hdr -m elf_x86_64 -pie ${DYNAMIC} -o OUT`;

function line(name: string, text: string, check?: (o: LinkOptions) => boolean): DriverLine {
  return { name, argv: text.split(/\s+/).filter(Boolean), ...(check ? { check } : {}) };
}

const has = (o: LinkOptions, name: string): boolean => o.inputs.some((i) => i.name === name);

export const DRIVER_LINES: DriverLine[] = [
  line("gcc", `${GCC} ${DYNAMIC} -pie -o OUT ${CRT} x.o ${LIBS}`, (o) => o.pie && o.buildId === "usual" && o.inputs.filter((i) => i.name === "gcc_s").every((i) => i.asNeeded) && o.output === "OUT"),
  line("gcc -static", `${PLUG} --build-id -m elf_x86_64 --hash-style=gnu --as-needed -static -o OUT crt1.o crti.o crtbeginT.o x.o ${GROUP}`, (o) => o.static && !o.ehFrameHdr && o.inputs.every((i) => i.static)),
  line("gcc -static-pie", `${GCC} -static -pie --no-dynamic-linker -z text -pie -o OUT rcrt1.o x.o ${GROUP}`, (o) => o.static && o.pie && o.dynamicLinker === ""),
  line("gcc -shared", `${GCC} -shared -o OUT crti.o crtbeginS.o x.o ${LIBS}`, (o) => o.shared),
  line("gcc -r", `${PLUG} --eh-frame-hdr -m elf_x86_64 --hash-style=gnu --as-needed ${DYNAMIC} -o OUT -r x.o`, (o) => o.relocatable),
  line("gcc -rdynamic", `${GCC} -export-dynamic ${DYNAMIC} -pie -o OUT x.o ${LIBS}`, (o) => o.exportDynamic),
  line("gcc -s -u X", `${GCC} ${DYNAMIC} -pie -s -u X -o OUT x.o ${LIBS}`, (o) => o.strip === "all" && o.undefined[0] === "X"),
  line("gcc -T f", `${GCC} ${DYNAMIC} -pie -o OUT x.o ${LIBS} -T f`, (o) => o.scripts[0]!.path === "f"),
  line("gcc -fsplit-stack", `${GCC} ${DYNAMIC} -pie -o OUT --wrap=pthread_create x.o ${LIBS}`, (o) => o.wrap[0] === "pthread_create"),
  line("gcc -fsanitize", `${PLUG} --build-id --eh-frame-hdr -m elf_x86_64 --hash-style=gnu ${DYNAMIC} -pie -o OUT libasan_preinit.o --push-state --no-as-needed -lasan --pop-state x.o ${LIBS}`, (o) => o.inputs.some((i) => i.name === "asan" && !i.asNeeded)),
  line("gcc -fopenmp", `${GCC} ${DYNAMIC} -pie -o OUT crtoffloadbegin.o x.o -lgomp -lpthread crtoffloadend.o`),
  line("gcc --coverage", `${GCC} ${DYNAMIC} -pie -o OUT x.o -lgcov ${LIBS}`),
  line("g++", `${GCC} ${DYNAMIC} -pie -o OUT ${CRT} x.o -lstdc++ -lm -lgcc_s -lgcc -lc -lgcc_s -lgcc crtendS.o crtn.o`),
  line("g++ -static-libstdc++", `${GCC} ${DYNAMIC} -pie -o OUT ${CRT} x.o -Bstatic -lstdc++ -Bdynamic -lm ${LIBS}`, (o) => !o.static && o.inputs.some((i) => i.name === "stdc++" && i.static) && o.inputs.some((i) => i.name === "m" && !i.static)),
  line("gcc --sysroot", `${GCC} --sysroot=D ${DYNAMIC} -pie -o OUT ${CRT} x.o ${LIBS}`, (o) => o.sysroot === "D"),
  line("clang", `${CLANG} Scrt1.o -L/usr/lib x.o -lgcc --as-needed -lgcc_s --no-as-needed -lc -lgcc --as-needed -lgcc_s --no-as-needed crtendS.o`, (o) => o.inputs.some((i) => i.name === "c" && !i.asNeeded)),
  line("clang -flto (bfd)", `${CLANG} -plugin LLVMgold.so -plugin-opt=mcpu=x86-64 -plugin-opt=O2 -plugin-opt=thinlto x.o -lc`, (o) => o.plugin === "LLVMgold.so" && o.pluginOpts.length === 3),
  line("clang -flto (lld)", `${CLANG} -plugin-opt=mcpu=x86-64 -plugin-opt=dwo_dir=x -plugin-opt=-function-sections=1 -plugin-opt=-data-sections=1 x.o -lc`),
  line("clang sanitizers", `${CLANG} --whole-archive libclang_rt.asan.a --no-whole-archive --dynamic-list=F --export-dynamic x.o --no-as-needed -lpthread -lrt -lm -ldl -lresolv`, (o) => o.inputs[0]?.wholeArchive === true && o.inputs[1]?.wholeArchive === false && o.dynamicLists[0] === "F"),
  line("clang PGO", `${CLANG} x.o -u__llvm_profile_runtime`, (o) => o.undefined[0] === "__llvm_profile_runtime"),
  line("android", `${CLANG} -z now -z relro -z max-page-size=16384 --pack-dyn-relocs=relr x.o`, (o) => o.z.now && o.z.maxPageSize === 16384 && o.packRelr),
  line("fuchsia", `-z now -z rodynamic -z separate-loadable-segments --hash-style=gnu -shared -o OUT x.o`, (o) => o.z.rodynamic && o.z.separateCode === "loadable-segments"),
  line("freebsd", `--eh-frame-hdr ${DYNAMIC} --hash-style=both --enable-new-dtags -m elf_x86_64_fbsd -o OUT x.o`, (o) => o.hashStyle === "both" && o.emulation === "elf_x86_64"),
  line("rustc bin", `-m elf_x86_64 ${DYNAMIC} -pie -o OUT x.o --as-needed -Bstatic libstd.rlib -Bdynamic -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc --eh-frame-hdr -z noexecstack --gc-sections -pie -z relro -z now -O1 --strip-all`, (o) => o.gcSections && o.z.execstack === false && o.optimize === 1),
  line("rustc cdylib", `-m elf_x86_64 -shared -o OUT --version-script=rustcX/list --no-undefined-version x.o -soname=liba.so -u __llvm_profile_runtime`, (o) => o.versionScripts[0] === "rustcX/list" && o.soname === "liba.so" && !o.undefinedVersion),
  line("go probe", `-m elf_x86_64 ${DYNAMIC} -pie --no-gc-sections --compress-debug-sections=zlib -export-dynamic -o /dev/null _cgo_.o -lpthread`, (o) => o.output === "/dev/null" && o.compressDebug.kind === "zlib"),
  line("go c-shared", `-shared -z relro -z nodelete -Bsymbolic --build-id=0x0123abcd -o OUT go.o`, (o) => o.z.nodelete && o.bsymbolic === "all" && typeof o.buildId === "object" && o.buildId.hex.length === 4),
  line("go plugin", `-shared -z now -z nocopyreloc -o OUT go.o`, (o) => !o.z.copyreloc),
  line("libtool", `-shared -soname libx.so.1 -version-script .libs/libx.ver --whole-archive A.a --no-whole-archive -o OUT x.o`, (o) => o.soname === "libx.so.1" && o.versionScripts[0] === ".libs/libx.ver"),
  line("cmake", `-shared -soname libs.so.1 -rpath /build/dir:::: --export-dynamic --start-group libst.a --end-group --dependency-file=F --push-state --whole-archive b.a --pop-state --fatal-warnings -o OUT x.o`, (o) => o.rpath[0] === "/build/dir::::" && o.dependencyFile === "F" && o.fatalWarnings && o.inputs[1]?.wholeArchive === true && o.inputs[2]?.wholeArchive === false),
  line("meson", `--as-needed --no-undefined -O1 -shared --whole-archive --start-group libst.a --no-whole-archive a.a --end-group -soname libm.so -rpath $ORIGIN/:XXXX -rpath-link /abs -o OUT x.o`, (o) => o.reportUndefined === true && o.inputs[0]?.wholeArchive === true && o.inputs[1]?.wholeArchive === false && o.rpathLink[0] === "/abs"),
  line("meson, other", `--allow-shlib-undefined -o OUT x.o`, (o) => o.reportShlibUndefined === false),
  line("linux vmlinux", `-m elf_x86_64 -z noexecstack --no-warn-rwx-segments -z max-page-size=0x200000 --build-id=sha1 -X --orphan-handling=warn --emit-relocs --discard-none -T vmlinux.lds --whole-archive vmlinux.a --no-whole-archive --start-group --end-group -o vmlinux`, (o) => o.z.maxPageSize === 0x200000 && o.emitRelocs && o.discard === "none" && o.orphanHandling === "warn"),
  line("linux module", `-r -m elf_x86_64 -z noexecstack --no-warn-rwx-segments --build-id=sha1 -T scripts/module.lds -o x.ko x.o`, (o) => o.relocatable),
  line("linux vdso", `-m elf_x86_64 -shared -Bsymbolic -z notext -z norelro --hash-style=both --eh-frame-hdr --no-apply-dynamic-relocs -soname linux-vdso.so.1 -T vdso.lds -o OUT x.o`, (o) => !o.z.text && !o.z.relro),
  line("linux, others", `-pie --no-dynamic-linker --pack-dyn-relocs=relr -u efi_pe_entry -Map m --gc-sections -o OUT x.o`, (o) => o.mapFile === "m" && o.undefined[0] === "efi_pe_entry"),
  line("Debian", `${GCC} -z relro -z now -o OUT x.o`, (o) => o.z.relro && o.z.now),
  line("Gentoo", `${GCC} -O1 --as-needed -z pack-relative-relocs --defsym=__gentoo_check_ldflags__=0 -o OUT x.o`, (o) => o.packRelr && o.packRelrGlibc && o.defsyms[0]?.name === "__gentoo_check_ldflags__" && o.defsyms[0].expression === "0"),
  line("Arch", `${GCC} -O1 --sort-common --as-needed -z relro -z now -o OUT x.o`),
  line("Fedora", `${GCC} --build-id=sha1 --package-metadata={"type":"rpm"} -z pack-relative-relocs -o OUT x.o`, (o) => o.packageMetadata === '{"type":"rpm"}'),
  line("Ubuntu", `${GCC} -Bsymbolic-functions -z relro -shared -o OUT x.o`, (o) => o.bsymbolic === "functions" && has(o, "x.o")),
];
