import { totalmem } from "node:os";

/** Memory that the process may use, in bytes: the machine's, or a container's limit where that is lower. */
export function machineMemory(): number {
  const granted = process.constrainedMemory();
  return granted > 0 && granted < totalmem() ? granted : totalmem();
}
