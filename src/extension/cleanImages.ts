import { BulwarkError } from "../shared/errors.ts";
import { pick } from "./choose.ts";
import { findData } from "./data.ts";
import { misfit, picturesKind } from "./fit.ts";
import { shapeOf } from "./modelShape.ts";
import type { Services } from "./services.ts";

/**
 * Labelled images of the open folders that fit a model, as `kind:path`: those that are there, or the ones that a person chooses of several.
 * @throws DATASET_EMPTY where there are none, CANCELLED
 */
export async function chooseCleanImages(services: Services, model: string): Promise<string> {
  const shape = await shapeOf(services, model);
  const fitting = (await findData()).filter((data) => data.kind !== picturesKind && misfit(data, shape) === null);
  const [only] = fitting;
  if (!only)
    throw new BulwarkError(
      "DATASET_EMPTY",
      "There are no labelled images here that fit the model, to choose a threshold on.",
      "Fetch a data set, or add a folder of pictures with one subfolder for each class.",
    );
  if (fitting.length === 1) return only.spec;
  const items = fitting.map(({ label, detail, spec }) => ({ label, description: detail, spec }));
  return (await pick(items, "Choose the threshold on which clean images?")).spec;
}
