/** How much of the machine a control group leaves to this process (Linux, both versions of cgroups). */
import { readFileSync } from "node:fs";

const textOf = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};

/** Processors that a quota leaves us: Infinity = no quota. */
export function cgroupQuota(): number {
  let least = Infinity;
  const group = /^0::(.*)$/m.exec(textOf("/proc/self/cgroup"))?.[1];
  for (let path = group; path !== undefined; path = path === "/" || path === "" ? undefined : path.slice(0, path.lastIndexOf("/"))) {
    const [quota, period] = textOf(`/sys/fs/cgroup${path}/cpu.max`).split(" ");
    if (quota !== undefined && Number(quota) > 0) least = Math.min(least, Number(quota) / Number(period));
  }
  const quota = Number(textOf("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"));
  if (quota > 0) least = Math.min(least, quota / Number(textOf("/sys/fs/cgroup/cpu/cpu.cfs_period_us")));
  return least;
}
