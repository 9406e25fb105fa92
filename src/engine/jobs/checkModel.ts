import type { InputContract } from "../../shared/contract.ts";
import { cancelled } from "../../shared/errors.ts";
import type { ModelCheck, ModelCheckUpdate } from "../../shared/modelCheck.ts";
import { checkNetwork } from "../importers/inspect.ts";

/** Time between two updates, in which a request to cancel can arrive. */
const pause = 100; // ms

/**
 * Reads all weights of a model, computes scores with them, and compares those of an ONNX file with ONNX Runtime's.
 * @throws CANCELLED, MODEL_NAN, MODEL_MISMATCH, and what `loadNetwork` throws
 */
export function checkModel(
  { model, contract }: { readonly model: string; readonly contract?: InputContract | undefined },
  signal: AbortSignal,
  onUpdate?: (update: ModelCheckUpdate) => void,
): Promise<ModelCheck> {
  let last = performance.now();
  return checkNetwork(model, contract, async (update) => {
    if (performance.now() - last < pause) return;
    onUpdate?.(update);
    await new Promise((resolve) => setImmediate(resolve));
    last = performance.now();
    if (signal.aborted) throw cancelled();
  });
}
