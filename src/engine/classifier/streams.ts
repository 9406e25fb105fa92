import type { Random, Streams } from "../random.ts";
import type { Classifier } from "./classifier.ts";

/**
 * How a randomised model learns which images are in a batch: whoever computes one asks for `forImages(model, ctx.rng, first)`, the same
 * model for the images `first`, `first + 1`, … of the data set, and computes with that.
 *
 * Such a model draws for image i of the batch from a stream of its own, which goes on from pass to pass. The stream follows from the seed,
 * the purpose and the image's index alone: an image gets the same numbers alone, in any batch, and after a resume. Predictions share one
 * purpose, so that an image has one prediction wherever it is asked for; an attack names its key, so that it does not know the numbers
 * that its images are judged with. A model that draws nothing is returned as it is.
 */
export function forImages(model: Classifier, rng: Random, first: number, purpose = "predict"): Classifier {
  return model.withStreams?.(imageStreams(rng, first, purpose)) ?? model;
}

/** The streams of the images `first`, `first + 1`, … of the data set: those that `forImages` gives a model. */
export const imageStreams = (rng: Random, first: number, purpose = "predict"): Streams => ({
  random: (i) => rng.stream(`${purpose}/model/${first + i}`),
});

/** The streams of one part of a model: apart from those of other parts, and each continued where the last pass left it. */
export function continued(streams: Streams, part: string): Streams {
  const open = new Map<number, Random>();
  return {
    random(i) {
      const stream = open.get(i) ?? streams.random(i).stream(part);
      open.set(i, stream);
      return stream;
    },
  };
}
