import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { BulwarkError } from "../../shared/errors.ts";
import { mayHaveGpu } from "./tensorflow/index.ts";

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

const candidates = (): BackendName[] => [...(mayHaveGpu() ? (["tensorflow"] as const) : []), "onnxruntime", "wasm", "cpu"];

/** A device in words, or that with what the user should know about it. */
type Loaded = string | { readonly device: string; readonly warnings: readonly string[] };
const load: Record<BackendName, (auto: boolean) => Promise<Loaded>> = {
  onnxruntime: async () => (await import("./onnxruntime/index.ts")).prepare(),
  // `auto` takes it for its GPU alone: on a CPU ours is the faster one.
  tensorflow: async (auto) => (await import("./tensorflow/index.ts")).prepare(auto ? "gpu" : "any"),
  wasm: async () => {
    const wasm = await import("./wasm.ts");
    wasm.prepare();
    return wasm.device;
  },
  cpu: async () => (await import("./cpu.ts")).prepare(),
};

async function start(name: BackendName, auto: boolean): Promise<BackendChoice> {
  const loaded = await load[name](auto);
  if (!(await tf.setBackend(name))) throw new Error(`tfjs refused the backend ${name}`);
  await tf.ready();
  return typeof loaded === "string"
    ? { name, device: loaded, warnings: [] }
    : { name, device: loaded.device, warnings: [...loaded.warnings] };
}

const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? (thrown.message.split("\n")[0] ?? "") : String(thrown));
const downgrade = (name: BackendName, thrown: unknown): string =>
  thrown instanceof BulwarkError
    ? `${thrown.message} ${thrown.fix ?? ""}`.trim()
    : `The backend ${name} cannot start: ${reasonOf(thrown)}.`;

/**
 * Registers a backend and makes it tfjs' current one. `auto` takes the first that starts of tensorflow (only where it sees a GPU),
 * onnxruntime, wasm and cpu.
 * @throws BulwarkError BACKEND_UNAVAILABLE when the one asked for by name cannot start.
 */
export async function useBackend(name: BackendName | "auto"): Promise<BackendChoice> {
  if (name !== "auto") {
    try {
      return await start(name, false);
    } catch (cause) {
      if (cause instanceof BulwarkError) throw cause;
      const message = `The backend ${name} cannot start: ${reasonOf(cause)}.`;
      throw new BulwarkError("BACKEND_UNAVAILABLE", message, "Run `bulwark doctor`, or choose another backend.", { cause });
    }
  }
  const warnings: string[] = [];
  for (const candidate of candidates()) {
    try {
      const choice = await start(candidate, true);
      return { ...choice, warnings: [...warnings, ...choice.warnings] };
    } catch (thrown) {
      warnings.push(downgrade(candidate, thrown));
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
