import type { InputContract } from "../../shared/contract.ts";
import type { ModelInspection } from "../../shared/protocol.ts";
import { sliceNotes } from "../classifier/slices.ts";
import { outlineNetwork } from "../importers/index.ts";
import { describeNetwork } from "../importers/inspect.ts";
import { classifierOfLoaded } from "../session/openModel.ts";

/**
 * Layers, shapes and number of weights of a model file; of a volumized one also how far the content of a slice reaches. Weights are not read:
 * `checkModel` does that.
 * @throws FILE_NOT_FOUND, MODEL_INVALID, and UNKNOWN_ID for a defence of another version
 */
export async function inspectModel(model: string, contract?: InputContract): Promise<ModelInspection> {
  const outlined = await outlineNetwork(model, contract);
  try {
    const inspection = describeNetwork(outlined);
    if (!inspection.contract.defense) return inspection;
    const classifier = classifierOfLoaded(outlined, model, undefined, { freeze: false });
    return { ...inspection, notes: [...inspection.notes, ...sliceNotes(classifier)] };
  } finally {
    outlined.network.dispose();
  }
}
