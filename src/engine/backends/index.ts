import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { BulwarkError } from "../../shared/errors.ts";

export { probeBackends } from "./probe.ts";

export type BackendName = "tensorflow" | "onnxruntime" | "wasm" | "cpu";
/** What `useBackend` chose: `device` in words; `warnings` say which better candidates failed and why. */
export interface BackendChoice {
  readonly name: BackendName;
  readonly device: string;
  readonly warnings: string[];
}

/** What a backend that gathers work before computing adds to tfjs' own interface. */
interface Deferring {
  flush(): void;
  freeze(tensors: readonly tf.TensorInfo[]): () => void;
}
const deferring = (backend: object): backend is Deferring => "flush" in backend && "freeze" in backend;

const candidates: readonly BackendName[] = ["onnxruntime", "wasm", "cpu"];

const load: Record<BackendName, () => Promise<string>> = {
  onnxruntime: async () => (await import("./onnxruntime/index.ts")).prepare(),
  tensorflow: async () => (await import("./tensorflow.ts")).prepare(),
  wasm: async () => {
    const wasm = await import("./wasm.ts");
    wasm.prepare();
    return wasm.device;
  },
  cpu: async () => (await import("./cpu.ts")).prepare(),
};

async function start(name: BackendName): Promise<string> {
  const device = await load[name]();
  if (!(await tf.setBackend(name))) throw new Error(`tfjs refused the backend ${name}`);
  await tf.ready();
  return device;
}

const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? (thrown.message.split("\n")[0] ?? "") : String(thrown));

/**
 * Registers a backend and makes it tfjs' current one. `auto` takes the first of onnxruntime, wasm and cpu that starts.
 * @throws BulwarkError BACKEND_UNAVAILABLE when the one asked for by name cannot start.
 */
export async function useBackend(name: BackendName | "auto"): Promise<BackendChoice> {
  if (name !== "auto") {
    try {
      return { name, device: await start(name), warnings: [] };
    } catch (cause) {
      const message = `The backend ${name} cannot start: ${reasonOf(cause)}.`;
      throw new BulwarkError("BACKEND_UNAVAILABLE", message, "Run `bulwark doctor`, or choose another backend.", { cause });
    }
  }
  const warnings: string[] = [];
  for (const candidate of candidates) {
    try {
      return { name: candidate, device: await start(candidate), warnings };
    } catch (thrown) {
      warnings.push(`The backend ${candidate} cannot start: ${reasonOf(thrown)}.`);
    }
  }
  throw new BulwarkError("BACKEND_UNAVAILABLE", `No backend can start. ${warnings.join(" ")}`, "Reinstall the extension.");
}

/**
 * Declares a network's weights constant, so that a deferring backend may fold them into its compiled graphs: several times faster
 * to run, compiled anew for each set of weights. For attacks and evaluation, not for training. Does nothing on other backends.
 * A variable that is assigned meanwhile is no longer frozen. Returns the function that undoes it.
 */
export function freeze(network: LayersModel): () => void {
  const backend = tf.backend();
  return deferring(backend) ? backend.freeze(network.weights.map((weight) => weight.read())) : () => {};
}

/** Computes now what the current backend has gathered; call once a step in loops that read nothing. */
export function flush(): void {
  const backend = tf.backend();
  if (deferring(backend)) backend.flush();
}
