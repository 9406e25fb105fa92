import { classesOf, givenNames, type ModelClasses, refuseOtherNames } from "../evaluation/classMatch.ts";
import { openModel } from "../session/openModel.ts";
import { type LocateFacts, modelPlace, trains } from "./models.ts";

/**
 * The classes that the labels of a run are counted by: those of the models that it takes as they are. Null where it trains all of its
 * networks itself: then the data say the classes. @throws MODEL_INVALID where two of them name their classes differently, and what
 * opening a model throws
 */
export async function modelClasses(o: LocateFacts): Promise<ModelClasses | null> {
  const opened = new Map<string, ModelClasses>();
  for (const arm of o.experiment.arms) {
    const place = trains(arm, o.mode) ? null : await modelPlace(arm, o);
    if (!place || opened.has(place.path)) continue;
    const { classifier } = await openModel(place.path, place.options);
    opened.set(place.path, classesOf(classifier, place.path));
    classifier.dispose();
  }
  const all = [...opened.values()];
  const named = all.filter(({ classNames }) => givenNames(classNames) !== null);
  const [first, ...others] = named;
  for (const other of others) refuseOtherNames(first as ModelClasses, other);
  return first ?? all[0] ?? null;
}
