/**
 * The API as Node imports it: node.mjs, which runs api.js with the code that V8 compiled when it was built (api.cache).
 *
 * A module cannot bring its code cache along, a script can: so this is index.mjs, which Deno and Bun import, as a script. With
 * another Node than the one that built it, or with V8 flags, the cache is refused and everything is as in index.mjs.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { build, type BuildOptions } from "esbuild";
import { put } from "./put.ts";

const NAMES = ["link", "createContext", "createEngine", "parseArgs", "memoryFS", "layerFS", "realFS", "LinkError"];

/** As dist/cli.cjs: the last bytes of the script and of the cache say that they belong together, and the script's name is no folder's. */
const TIE = 16;

const LOADER = `import{createRequire}from"node:module";import{readFileSync}from"node:fs";import{Script}from"node:vm";import{fileURLToPath}from"node:url";
const folder=fileURLToPath(new URL(".",import.meta.url)).replace(/.$/,""),filename=folder+"/api.js",text=readFileSync(filename,"latin1");
const tie=text.slice(-${TIE})+process.version+process.versions.v8+process.arch;let cachedData;
try{const all=readFileSync(folder+"/api.cache");if(all.subarray(-tie.length).latin1Slice()===tie)cachedData=all.subarray(0,-tie.length)}catch{}
const script=new Script(text,{filename:"wield/dist/api.js",cachedData}),module={exports:{}};
script.runInThisContext()(module.exports,createRequire(import.meta.url),module,filename,folder);
`;

const EXPORTS = `export const{${NAMES.join(",")}}=module.exports;\n`;

/** dist/api.js and node.mjs. */
export async function api(dist: string, common: BuildOptions): Promise<void> {
  const result = await build({ ...common, entryPoints: ["ts/index.ts"], outfile: path.join(dist, "api.js"), minify: true, charset: "ascii", write: false });
  const text = `(function(exports,require,module,__filename,__dirname){${result.outputFiles![0]!.text}})//`;
  put(path.join(dist, "api.js"), text + createHash("sha256").update(text).digest("hex").slice(0, TIE));
  put(path.join(dist, "node.mjs"), LOADER + EXPORTS);
}

/** Links as `links` say, from files and from memory, once and again: what that compiles is what the cache has. */
const RECORD = `const{link,createContext,memoryFS}=module.exports,{links,out}=JSON.parse(process.argv[2]);
for(const args of links){await link({args,write:true});const names=args.filter((word)=>/\\.[ao]$/.test(word)),fs=memoryFS(Object.fromEntries(names.map((name)=>[name,readFileSync(name)])));
if(names.length>2&&!args.includes("-shared")&&!args.some((word)=>word.startsWith("@"))){const context=await createContext({inputs:names,fs,gcSections:true,args:["-static"]});for(let i=0;i<2;i++){context.update({[names[0]]:readFileSync(names[0])});await context.relink({throwOnError:false})}await context.dispose()}}
const{writeFileSync,renameSync}=await import("node:fs");writeFileSync(out+".tmp",Buffer.concat([script.createCachedData(),Buffer.from(tie)]));renameSync(out+".tmp",out);process.exit();
`;

/** dist/api.cache. */
export function warmApi(dist: string, links: readonly string[][]): void {
  const cache = path.join(dist, "api.cache");
  const recorder = path.join(dist, `warm-api.${process.pid}.tmp.mjs`);
  fs.rmSync(cache, { force: true });
  fs.writeFileSync(recorder, LOADER + RECORD);
  try {
    execFileSync(process.execPath, [recorder, JSON.stringify({ links, out: cache })], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, NODE_OPTIONS: "" } });
  } finally {
    fs.rmSync(recorder, { force: true });
  }
}
