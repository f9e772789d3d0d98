/**
 * What the linker says it is: --version, -V.
 *
 * Other programs read these texts. libtool wants "GNU" in `-v`; meson wants "GNU" or "LLD" in --version, cmake "LLD N", the Linux
 * kernel the words LLD and N, glibc "GNU ld … N)"; GHC before 9.2 a line of --version that begins with "LLD" or "GNU ld".
 */
import { TARGETS } from "../arch/targets.ts";

/** The linker whose options and layout are ours: cmake, meson and the Linux kernel choose what to pass by a name and a version they know. */
const LLD_VERSION = "19.1.7";
/** The GNU ld whose habits we keep where lld has none; a glibc that does not see "LLD" in front wants to read 2.25 or more. */
const GNU_VERSION = "2.40";

/** Of package.json; a test compares. */
export const VERSION = "0.1.0";

export interface Identity {
  programName: string;
  compatVersion: string;
}

/** Called as `ld.lld`: everything is as lld has it, also where we would rather do as GNU ld. */
export const isLld = ({ programName }: Pick<Identity, "programName">): boolean => programName === "ld.lld";

/** `level`: 0 = --version, 1 = -v, 2 = -V. The v is for libtool, which takes a word that begins with 0. or 1. for a GNU ld without version scripts. */
export function versionText(who: Identity, level: number): string {
  const first = who.compatVersion === "" ? `wield v${VERSION}, as LLD ${LLD_VERSION} (compatible with GNU ld ${GNU_VERSION})` : who.compatVersion;
  const lines = [first];
  if (level === 0 && who.compatVersion === "") lines.push(`LLD ${LLD_VERSION}: options and layout`);
  if (level === 2) lines.push("  Supported emulations:", ...TARGETS.map(({ emulation }) => "   " + emulation));
  return lines.join("\n") + "\n";
}
