import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { type DeviceName, deviceTitles } from "../../shared/devices.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { chooseDevice } from "./devices/index.ts";
import { reasonOf } from "./onnxruntime/reason.ts";
import { mayHaveGpu } from "./tensorflow/index.ts";

export { probeBackends } from "./probe.ts";

export type BackendName = "tensorflow" | "onnxruntime" | "wasm" | "cpu";
/** What `useBackend` chose: `device` in words; `warnings` say which better candidates failed and why. */
export interface BackendChoice {
  readonly name: BackendName;
  readonly device: string;
  readonly warnings: string[];
}

/** What a deferring backend adds to tfjs' own interface. */
interface Deferring {
  flush(): void;
  freeze(tensors: readonly tf.TensorInfo[]): () => void;
  host(values: Float32Array, shape: readonly number[], dtype: "float32"): tf.TensorInfo;
  /** Largest batch that its device has managed. */
  readonly largestBatch: number;
  attempt<T>(images: number, work: () => Promise<T>): Promise<T>;
}
const deferring = (backend: object): backend is Deferring => "flush" in backend && "freeze" in backend;

const candidates = (device: DeviceName): BackendName[] => [
  ...(device === "auto" && mayHaveGpu() ? (["tensorflow"] as const) : []),
  "onnxruntime",
  "wasm",
  "cpu",
];

/** A device in words, or that with what the user should know about it. */
type Loaded = string | { readonly device: string; readonly warnings: readonly string[] };
const load: Record<BackendName, (auto: boolean, device: DeviceName) => Promise<Loaded>> = {
  onnxruntime: async (_auto, device) => (await import("./onnxruntime/index.ts")).prepare(await chooseDevice(device)),
  // `auto` takes it for its GPU alone: on a CPU ours is the faster one.
  tensorflow: async (auto, device) => (await import("./tensorflow/index.ts")).prepare(auto ? "gpu" : device === "cpu" ? "cpu" : "any"),
  wasm: async () => {
    const wasm = await import("./wasm.ts");
    wasm.prepare();
    return wasm.device;
  },
  cpu: async () => (await import("./cpu.ts")).prepare(),
};

async function start(name: BackendName, auto: boolean, device: DeviceName): Promise<BackendChoice> {
  const loaded = await load[name](auto, device);
  if (!(await tf.setBackend(name))) throw new Error(`tfjs refused the backend ${name}`);
  await tf.ready();
  return typeof loaded === "string"
    ? { name, device: loaded, warnings: [] }
    : { name, device: loaded.device, warnings: [...loaded.warnings] };
}

const downgrade = (name: BackendName, thrown: unknown): string =>
  thrown instanceof BulwarkError
    ? `${thrown.message} ${thrown.fix ?? ""}`.trim()
    : `The backend ${name} cannot start: ${reasonOf(thrown)}.`;

/**
 * Registers a backend and makes it tfjs' current one. `auto` takes the first that starts of tensorflow (only where it sees a GPU),
 * onnxruntime, wasm and cpu. A GPU is a device of onnxruntime: naming one names that backend.
 * @throws BulwarkError BACKEND_UNAVAILABLE when the backend or the device asked for by name cannot start.
 */
export async function useBackend(wanted: BackendName | "auto", device: DeviceName = "auto"): Promise<BackendChoice> {
  const name = wanted === "auto" && device !== "auto" && device !== "cpu" ? "onnxruntime" : wanted;
  if (name !== "auto" && name !== "onnxruntime" && device !== "auto" && device !== "cpu") throw otherBackend(name, device);
  if (name !== "auto") {
    try {
      return await start(name, false, device);
    } catch (cause) {
      if (cause instanceof BulwarkError) throw cause;
      const message = `The backend ${name} cannot start: ${reasonOf(cause)}.`;
      throw new BulwarkError("BACKEND_UNAVAILABLE", message, "Run `bulwark doctor`, or choose another backend.", { cause });
    }
  }
  const warnings: string[] = [];
  for (const candidate of candidates(device)) {
    try {
      const choice = await start(candidate, true, device);
      return { ...choice, warnings: [...warnings, ...choice.warnings] };
    } catch (thrown) {
      warnings.push(downgrade(candidate, thrown));
    }
  }
  throw new BulwarkError("BACKEND_UNAVAILABLE", `No backend can start. ${warnings.join(" ")}`, "Reinstall the extension.");
}

const otherBackend = (backend: BackendName, device: Exclude<DeviceName, "auto">): BulwarkError =>
  new BulwarkError(
    "PARAMETER_INVALID",
    `The backend ${backend} does not compute on ${deviceTitles[device]}: that is a device of onnxruntime.`,
    "Choose the backend auto or onnxruntime, or the device auto.",
  );

/**
 * Declares a network's weights constant, so that a deferring backend may fold them into its compiled graphs: several times faster
 * to run, compiled again for each set of weights. For attacks and evaluation, not for training. Does nothing on other backends.
 * A variable that is assigned meanwhile is no longer frozen. Returns the function that undoes it.
 */
export function freeze(network: LayersModel): () => void {
  const backend = tf.backend();
  return deferring(backend) ? backend.freeze(network.weights.map((weight) => weight.read())) : () => {};
}

/** A tensor of numbers that the caller gives up: large weights need not be copied then. */
export function tensorOver(values: Float32Array, shape: readonly number[]): tf.Tensor {
  const backend = tf.backend();
  if (!deferring(backend)) return tf.tensor(values, [...shape], "float32");
  return tf.engine().makeTensorFromTensorInfo(backend.host(values, shape, "float32"));
}

/** Computes what the current backend has deferred; call once per step in loops that read nothing. */
export function flush(): void {
  const backend = tf.backend();
  if (deferring(backend)) backend.flush();
}

/** Largest batch that the current device has managed; unbounded until a larger one failed. */
export function largestBatch(): number {
  const backend = tf.backend();
  return deferring(backend) ? backend.largestBatch : Number.POSITIVE_INFINITY;
}

/**
 * Runs work that its caller can repeat in halves with the same result. A GPU that fails then throws DeviceFailure instead of falling back
 * to the CPU; a CPU that runs out of memory throws it too. Other backends just run the work.
 */
export function attempt<T>(images: number, work: () => Promise<T>): Promise<T> {
  const backend = tf.backend();
  return deferring(backend) ? backend.attempt(images, work) : work();
}
