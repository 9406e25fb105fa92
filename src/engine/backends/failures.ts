import { BulwarkError } from "../../shared/errors.ts";

/** A device that failed during a run: lost, out of memory, or refusing a graph. On the CPU it always means out of memory. */
export class DeviceFailure extends Error {
  override readonly name = "DeviceFailure";
}

/** Whether an error of ONNX Runtime on the CPU, or of V8, means out of memory. Neither sets a code, so the message is matched. */
export const isOutOfMemory = (thrown: unknown): thrown is Error =>
  thrown instanceof Error && /(failed to|cannot) allocate memory|bad[_ ]alloc|array buffer allocation failed/i.test(thrown.message);

/** A lack of memory as a failure of the device, anything else as it is. */
export const asFailure = (thrown: unknown): unknown =>
  isOutOfMemory(thrown) ? new DeviceFailure(thrown.message, { cause: thrown }) : thrown;

/** What is left to say where no smaller part can be tried. */
export const outOfMemory = (cause: Error): BulwarkError =>
  new BulwarkError(
    "OUT_OF_MEMORY",
    "There is not enough memory for this network and these images.",
    "Close other programs, or choose a smaller network, smaller images or a smaller batch.",
    { cause },
  );

/** A failure to report to the user; `device` is what computes from now on, in words. */
export interface DeviceWarning {
  readonly message: string;
  /** `halved`: the same device continues with smaller batches. `cpu`: the device is given up. */
  readonly action: "halved" | "cpu";
  readonly device: string;
}
type Listener = (warning: DeviceWarning) => void;

const listeners = new Set<Listener>();

/** Calls the listener for every device that fails from now on. Returns the function that stops it. */
export function onDeviceWarning(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function warnOfDevice(warning: DeviceWarning): void {
  for (const listener of [...listeners]) listener(warning);
}
