import type { InputContract } from "../../shared/contract.ts";
import { classesOf, givenNames, type ModelClasses, refuseOtherNames } from "../evaluation/classMatch.ts";
import { openModel } from "../session/openModel.ts";
import type { ResolvedArm } from "./arms.ts";
import { fileOf, type LocateFacts, modelPlace, trains } from "./models.ts";
import type { ModelPlace } from "./openNetworks.ts";

/** What the model files of a run want of its data. */
export interface ModelWants {
  /** Labels are counted by these. */
  readonly classes: ModelClasses;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly input: InputContract["input"];
}

/**
 * Of the models that a run takes as they are or trains further: a network that is trained from a file keeps what its outputs mean. The
 * first that names its classes speaks for all. Null where the run builds all of its networks itself: then the data decide.
 * @throws MODEL_INVALID where two of them name their classes differently, and what opening a model throws
 */
export async function modelWants(o: LocateFacts): Promise<ModelWants | null> {
  const opened = new Map<string, ModelWants>();
  for (const arm of o.experiment.arms) {
    const place = await startOf(arm, o);
    if (!place || opened.has(place.path)) continue;
    const { classifier } = await openModel(place.path, place.options);
    const { inputShape, contract } = classifier;
    opened.set(place.path, { classes: classesOf(classifier, place.path), inputShape, input: contract.input });
    classifier.dispose();
  }
  const all = [...opened.values()];
  const named = all.filter(({ classes }) => givenNames(classes.classNames) !== null);
  const [first, ...others] = named;
  for (const other of others) refuseOtherNames((first as ModelWants).classes, other.classes);
  return first ?? all[0] ?? null;
}

/** The model that an arm takes or starts from; null where the run builds it. */
const startOf = async (arm: ResolvedArm, o: LocateFacts): Promise<ModelPlace | null> => {
  if ("file" in arm.model) return fileOf(arm.model);
  return trains(arm, o.mode) ? null : modelPlace(arm, o);
};
