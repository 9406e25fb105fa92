import type { InputContract } from "../../shared/contract.ts";
import { deviceNames, isDeviceName } from "../../shared/devices.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { suggestion } from "../../shared/nearest.ts";
import { onDeviceWarning } from "../backends/failures.ts";
import { type BackendName, useBackend } from "../backends/index.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { ModelCache } from "./modelCache.ts";

/** What jobs share within one process: the started backend and the open models. */
export interface Engine {
  /** What was asked for: "auto", or names of a backend and a device. */
  readonly asked: { readonly backend: string; readonly device: string };
  readonly backend: BackendName;
  /** The current device, in words; changes when a GPU fails. */
  readonly device: string;
  /** Better backends that failed to start, and why. */
  readonly warnings: readonly string[];
  /** Replaces the input contracts beside the models; undefined where none was named. */
  readonly contract: InputContract | undefined;
  /** Opens a model, or returns it if it is open. */
  model(path: string): Promise<Classifier>;
}

const names: readonly string[] = ["auto", "tensorflow", "onnxruntime", "wasm", "cpu"];
const isName = (name: string): name is BackendName | "auto" => names.includes(name);

/** @throws BACKEND_UNAVAILABLE, PARAMETER_INVALID for a name that is none. */
export async function startEngine(backend: string, device = "auto", contract?: InputContract): Promise<Engine> {
  if (!isName(backend)) throw unknownBackend(backend);
  if (!isDeviceName(device))
    throw new BulwarkError("PARAMETER_INVALID", `There is no device "${device}".`, suggestion(device, deviceNames));
  const chosen = await useBackend(backend, device);
  const cache = new ModelCache(contract);
  let current = chosen.device;
  onDeviceWarning((warning) => {
    if (warning.action === "cpu") current = warning.device;
  });
  return {
    asked: { backend, device },
    backend: chosen.name,
    get device() {
      return current;
    },
    warnings: chosen.warnings,
    contract,
    model: (path) => cache.open(path),
  };
}

function unknownBackend(name: string): BulwarkError {
  return new BulwarkError("PARAMETER_INVALID", `There is no backend "${name}".`, suggestion(name, names));
}
