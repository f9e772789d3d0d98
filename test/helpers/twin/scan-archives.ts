/** Plain oracle of as-kernels/passes/scan-archives.ts: which members can have a say, from what they define and mention. */

export interface Scanned {
  defines: readonly string[];
  refers: readonly string[];
}

/** `foo@@V` is foo. */
const identity = (name: string): string => name.replace(/@@.*$/, "");

/** Indices of the members that are needed when `roots` are referred to. */
export function neededTwin(members: readonly Scanned[], roots: readonly string[]): number[] {
  const needed = new Set<number>();
  const mentioned = new Set<string>();
  const queue = roots.map(identity);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (mentioned.has(name)) continue;
    mentioned.add(name);
    members.forEach(({ defines, refers }, i) => {
      if (needed.has(i) || !defines.some((each) => identity(each) === name)) return;
      needed.add(i);
      queue.push(...[...defines, ...refers].map(identity));
    });
  }
  return [...needed].sort((a, b) => a - b);
}
