import type { LabelSource } from "../../shared/verdict.ts";
import type { RunContext } from "../context.ts";
import { sampled } from "../datasets/order.ts";
import { classIndex } from "../datasets/pictureLabel.ts";
import { fitToModel } from "../datasets/resolve.ts";
import { boxesOfClass } from "../datasets/voc.ts";
import type { Box, Dataset, EvaluationImages, SkippedFile } from "../define/index.ts";
import { inModelClasses } from "../evaluation/classMatch.ts";
import { evaluationImages, fingerprint } from "../evaluation/dataset.ts";
import { byPlace, type NamedImages } from "../evaluation/source.ts";
import type { Random } from "../random.ts";
import type { ImageOrigin } from "../report/datasetFile.ts";
import type { ImageSource } from "../training/loop.ts";
import type { LocateFacts } from "./models.ts";
import { modelWants } from "./modelWants.ts";
import type { ResolvedExperiment } from "./resolve.ts";

/** A run's images: which ones are trained on, kept for validation and tested on is a function of the experiment alone. */
export interface RunData {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classNames: readonly string[];
  readonly classes: number;
  /** What was decided about the data that the user may want to know, in sentences. */
  readonly notes: readonly string[];
  /** Files that were left out. */
  readonly skipped: readonly SkippedFile[];
  /** Who says the label of each picture that was named, null where the model's own prediction stands for it; absent for a data set. */
  readonly labelSources?: readonly (LabelSource | null)[];
  readonly test: EvaluationImages;
  /** Where the test images come from, for `dataset.json`. */
  readonly origin: ImageOrigin;
  readonly trainSize: number;
  /** Number of all test images; `test` may hold fewer. */
  readonly available: number;
  /** What preparations of attacks are made from: training images, or the test images where there are none, which a finding tells. */
  readonly preparation: { readonly images: NamedImages; readonly isOnItsOwn: boolean };
  /** Hash of the first test images and their labels. */
  readonly sha256: string;
  /** The same of the first training images. */
  readonly trainSha256: string;
  /** The training images, the last `validation` share of them set apart. */
  split(validation: number): { readonly train: ImageSource; readonly validation: ImageSource | null };
  /** Boxes of a test image that show its label, in pixels; empty where the data have none. */
  boxes(index: number): readonly Box[];
  close(): Promise<void>;
}

/**
 * The data of an experiment: pictures in the size that its model files want, labels as these count their classes.
 * @throws LABEL_RANGE for classes that a model file lacks, DATASET_EMPTY, and what opening data and models throws
 */
export async function openData(o: LocateFacts & { readonly experiment: ResolvedExperiment }, ctx: RunContext): Promise<RunData> {
  const { entry, params, train, test } = o.experiment.dataset;
  const model = await modelWants(o);
  const fitted = model ? fitToModel(entry.params, params, model.inputShape, model.input) : params;
  const dataset = await entry.load(fitted, ctx);
  try {
    return await dataOf(model ? inModelClasses(dataset, model.classes) : dataset, o.experiment, { train, test }, ctx);
  } catch (thrown) {
    await dataset.close();
    throw thrown;
  }
}

async function dataOf(
  dataset: Dataset,
  { dataset: { id, params } }: ResolvedExperiment,
  limits: { readonly train: number | null; readonly test: number | null },
  ctx: RunContext,
): Promise<RunData> {
  const { inputShape, classNames, notes = [], skipped = [] } = dataset;
  const chosen = trainingImages(dataset, limits.train, ctx.rng.stream("data/train"));
  const test = evaluationImages(dataset, "test", limits.test, ctx.rng);
  const training = sourceOf(dataset, chosen);
  const labels = dataset.labels("test");
  const indexOf = classIndex(classNames, dataset.synsets);
  return {
    inputShape,
    classNames,
    classes: classNames.length,
    notes,
    skipped,
    test,
    origin: { source: params["path"] ? `${id}:${params["path"]}` : id, split: "test" },
    trainSize: chosen.length,
    available: dataset.size("test"),
    preparation:
      chosen.length === 0
        ? { images: byPlace(test, `the test images of ${id}`), isOnItsOwn: true }
        : { images: { ...training, name: `the training images of ${id}` }, isOnItsOwn: false },
    sha256: await fingerprint(test),
    trainSha256: await fingerprint({
      n: chosen.length,
      inputShape,
      read: (start, end) => dataset.read("train", chosen.subarray(start, end)),
    }),
    split(validation) {
      const kept = Math.min(chosen.length - 1, Math.floor(chosen.length * validation));
      const cut = chosen.length - Math.max(0, kept);
      return { train: sourceOf(dataset, chosen.subarray(0, cut)), validation: kept > 0 ? sourceOf(dataset, chosen.subarray(cut)) : null };
    },
    boxes(index) {
      const place = test.places[index] as number;
      return boxesOfClass(dataset.boxes("test", place), labels[place] as number, indexOf);
    },
    close: () => dataset.close(),
  };
}

/** A random order of the training images, or of a sample of them; the sample of a source that lies class by class is stratified. */
function trainingImages(dataset: Dataset, limit: number | null, random: Random): Int32Array {
  const size = dataset.size("train");
  const isSample = limit !== null && limit < size && dataset.isGrouped("train");
  return isSample ? sampled(dataset.labels("train"), true, limit, random) : random.permutation(size).slice(0, limit ?? size);
}

function sourceOf(dataset: Dataset, indices: Int32Array): ImageSource {
  const rows = (places: ArrayLike<number>): Int32Array => Int32Array.from(places, (place) => indices[place] as number);
  return {
    size: indices.length,
    read: (places) => dataset.read("train", rows(places)),
    ...(dataset.identify ? { identify: async (places) => (await dataset.identify?.("train", rows(places))) ?? [] } : {}),
  };
}
