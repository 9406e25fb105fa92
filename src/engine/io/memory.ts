import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { BulwarkError } from "../../shared/errors.ts";
import { bytes } from "../../shared/format.ts";

/** What a person grants: the setting `bulwark.engine.memory`, in gigabytes, comes in `BULWARK_MEMORY`. No bound without it. */
function grantedMemory(): number {
  const gigabytes = Number(process.env["BULWARK_MEMORY"]);
  return gigabytes > 0 ? gigabytes * 1e9 : Number.POSITIVE_INFINITY;
}

/** Memory that the process may use, in bytes: the machine's, or less where a container or a person grants less. */
export function machineMemory(): number {
  const constrained = process.constrainedMemory();
  return Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY, grantedMemory());
}

/**
 * For work whose size nobody may change unasked, such as the steps of a training.
 * @throws OUT_OF_MEMORY when the process holds more than a person grants
 */
export function checkGrantedMemory(): void {
  const granted = grantedMemory();
  const held = granted === Number.POSITIVE_INFINITY ? 0 : process.memoryUsage.rss();
  if (held <= granted) return;
  throw new BulwarkError(
    "OUT_OF_MEMORY",
    `The engine holds ${bytes(held)}, more than the ${bytes(granted)} that bulwark.engine.memory (BULWARK_MEMORY) grants.`,
    "Raise it, or use a smaller batch.",
  );
}

/**
 * Memory that the process can still take without driving anything out, in bytes: what is free or holds cached files, less where a container
 * or `ulimit -v` grants less.
 */
export function freeMemory(): number {
  // macOS counts as free only what holds nothing at all, which is always little.
  const free = process.platform === "darwin" ? Math.max(freemem(), machineMemory() / 2) : freemem();
  return Math.max(0, Math.min(free, machineMemory() - process.memoryUsage.rss(), addressSpaceLeft()));
}

/** Bytes until `ulimit -v` is reached. Only Linux enforces it. */
function addressSpaceLeft(): number {
  if (process.platform !== "linux") return Number.POSITIVE_INFINITY;
  try {
    const limit = /^Max address space\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    const taken = /^VmSize:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return limit === undefined || taken === undefined ? Number.POSITIVE_INFINITY : Number(limit) - 1024 * Number(taken);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
