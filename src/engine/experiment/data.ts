import type { RunContext } from "../context.ts";
import type { Dataset } from "../define/index.ts";
import type { EvaluationImages } from "../evaluation/batches.ts";
import { fingerprint, firstImages } from "../evaluation/dataset.ts";
import type { ImageSource } from "../training/loop.ts";
import type { ResolvedExperiment } from "./resolve.ts";

/** A run's images: which ones are trained on, kept for validation and tested on is a function of the experiment alone. */
export interface RunData {
  readonly dataset: Dataset;
  readonly classes: number;
  readonly test: EvaluationImages;
  readonly trainSize: number;
  /** Hash of the first test images and their labels. */
  readonly sha256: string;
  /** The same of the first training images. */
  readonly trainSha256: string;
  /** The training images, the last `validation` share of them set apart. */
  split(validation: number): { readonly train: ImageSource; readonly validation: ImageSource | null };
}

export async function openData(experiment: ResolvedExperiment, ctx: RunContext): Promise<RunData> {
  const { entry, params, train, test } = experiment.dataset;
  const dataset = await entry.load(params, ctx);
  const size = dataset.size("train");
  const chosen = ctx.rng
    .stream("data/train")
    .permutation(size)
    .slice(0, train ?? size);
  const images = firstImages(dataset, "test", test);
  return {
    dataset,
    classes: dataset.classNames.length,
    test: images,
    trainSize: chosen.length,
    sha256: await fingerprint(images),
    trainSha256: await fingerprint({
      n: chosen.length,
      inputShape: dataset.inputShape,
      read: (start, end) => dataset.read("train", chosen.subarray(start, end)),
    }),
    split(validation) {
      const kept = Math.min(chosen.length - 1, Math.floor(chosen.length * validation));
      const cut = chosen.length - Math.max(0, kept);
      return { train: source(dataset, chosen.subarray(0, cut)), validation: kept > 0 ? source(dataset, chosen.subarray(cut)) : null };
    },
  };
}

const source = (dataset: Dataset, indices: Int32Array): ImageSource => ({
  size: indices.length,
  read: (places) =>
    dataset.read(
      "train",
      Int32Array.from(places, (place) => indices[place] as number),
    ),
});
