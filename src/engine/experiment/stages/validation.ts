import type { EvaluationImages } from "../../define/index.ts";
import { identitiesOf } from "../../report/datasetFile.ts";
import type { ResolvedArm } from "../arms.ts";
import type { RunEnvironment } from "../environment.ts";
import { storedIdentities } from "../runPieces.ts";

/** So many at most. */
const most = 1000;

/** Training images that an arm was not trained on; null where the data have none. */
export function validationOf(arm: ResolvedArm, { data }: RunEnvironment): EvaluationImages | null {
  if (data.trainSize === 0) return null;
  const { validation } = data.split(arm.train.validation);
  if (!validation) return null;
  const places = (start: number, end: number): Int32Array => Int32Array.from({ length: end - start }, (_, i) => start + i);
  return {
    n: Math.min(most, validation.size),
    inputShape: data.inputShape,
    read: (start, end) => validation.read(places(start, end)),
    ...(validation.identify ? { identify: async (start, end) => (await validation.identify?.(places(start, end))) ?? [] } : {}),
  };
}

/** Validation images that were looked at, at most. */
export const validationImages = ({ trainSize }: { readonly trainSize: number }): number => Math.min(most, trainSize);

/** Of each validation image, whether it is one of the test images as well. */
export async function alsoTested(images: EvaluationImages, { pieces }: RunEnvironment): Promise<boolean[]> {
  const tested = new Set((await storedIdentities(pieces)).map(({ id }) => id));
  return (await identitiesOf(images, 0, images.n)).map(({ id }) => tested.has(id));
}
