/** A device that failed during a run: lost, out of memory, or refusing a graph. */
export class DeviceFailure extends Error {
  override readonly name = "DeviceFailure";
}

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
