import { BulwarkError } from "../../shared/errors.ts";
import { type BackendName, useBackend } from "../backends/index.ts";
import type { Classifier } from "../classifier.ts";
import { ModelCache } from "./modelCache.ts";

/** What jobs share within one process: the backend that was started, and the models that are warm. */
export interface Engine {
  readonly backend: BackendName;
  /** Such as "CPU ×2". */
  readonly device: string;
  /** Better backends that failed to start, and why. */
  readonly warnings: readonly string[];
  /** Opens a model, or hands back the one that is open. */
  model(path: string): Promise<Classifier>;
}

const names: readonly string[] = ["auto", "tensorflow", "onnxruntime", "wasm", "cpu"];
const isName = (name: string): name is BackendName | "auto" => names.includes(name);

/** @throws BACKEND_UNAVAILABLE, PARAMETER_INVALID for a name that is none. */
export async function startEngine(backend: string): Promise<Engine> {
  if (!isName(backend)) throw unknownBackend(backend);
  const chosen = await useBackend(backend);
  const cache = new ModelCache();
  return { backend: chosen.name, device: chosen.device, warnings: chosen.warnings, model: (path) => cache.open(path) };
}

function unknownBackend(name: string): BulwarkError {
  return new BulwarkError("PARAMETER_INVALID", `There is no backend "${name}".`, `Known: ${names.join(", ")}.`);
}
