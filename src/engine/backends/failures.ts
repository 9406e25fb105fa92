/** A device that computed so far and now does not: lost, out of memory, or refusing a graph. */
export class DeviceFailure extends Error {
  override readonly name = "DeviceFailure";
}

/** Something that the user of a run must hear of; `device` is what computes from now on, in words. */
export interface DeviceWarning {
  readonly message: string;
  /** `halved`: the same device continues with smaller batches. `cpu`: the device is given up. */
  readonly action: "halved" | "cpu";
  readonly device: string;
}
type Listener = (warning: DeviceWarning) => void;

const listeners = new Set<Listener>();

/** Hears of every device that fails from now on. Returns the function that ends it. */
export function onDeviceWarning(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function warnOfDevice(warning: DeviceWarning): void {
  for (const listener of [...listeners]) listener(warning);
}
