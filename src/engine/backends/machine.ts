import { totalmem } from "node:os";

/** Bytes of memory that the process may have: the machine's, or what a container grants of it. */
export function machineMemory(): number {
  const granted = process.constrainedMemory();
  return granted > 0 && granted < totalmem() ? granted : totalmem();
}
