import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";

/** Memory that the process may use, in bytes: the machine's, or a container's limit where that is lower. */
export function machineMemory(): number {
  const granted = process.constrainedMemory();
  return granted > 0 && granted < totalmem() ? granted : totalmem();
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
