import type { InputContract } from "../../shared/contract.ts";
import type { ModelInspection } from "../../shared/protocol.ts";
import { sliceNotes } from "../classifier/slices.ts";
import { inspectNetwork } from "../importers/inspect.ts";
import { openModel } from "../session/openModel.ts";

/**
 * Layers, shapes and weights of a model file; of a volumized one also how far the content of a slice reaches.
 * @throws FILE_NOT_FOUND, MODEL_INVALID, and UNKNOWN_ID for a defence of another version
 */
export async function inspectModel(model: string, contract?: InputContract): Promise<ModelInspection> {
  const inspection = await inspectNetwork(model, contract);
  if (!inspection.contract.defense) return inspection;
  const { classifier } = await openModel(model, { contract });
  try {
    return { ...inspection, notes: [...inspection.notes, ...sliceNotes(classifier)] };
  } finally {
    classifier.dispose();
  }
}
