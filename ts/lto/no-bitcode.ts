/** In place of bitcode.ts where no programs can be started (build/web.ts): there is never a clang. */

export class BitcodeCompiler {
  compile(): null {
    return null;
  }
}
