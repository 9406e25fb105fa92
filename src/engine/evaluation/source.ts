import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { type FitRule, fitNote } from "../../shared/fit.ts";
import type { LabelSource } from "../../shared/verdict.ts";
import { batchSizeOf } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import { fileIdentity } from "../datasets/identity.ts";
import type { FoundLabel } from "../datasets/pictureLabel.ts";
import type { Dataset, EvaluationImages, ImageBatch, ImageIdentity, SkippedFile, Split } from "../define/index.ts";
import { readBytes } from "../io/files.ts";
import type { ImageSource } from "../training/feed.ts";
import { classesOf, inModelClasses } from "./classMatch.ts";
import { argmax, probabilitiesInParts } from "./clean.ts";
import { checkShape, evaluationImages } from "./dataset.ts";
import { loadNamed } from "./namedData.ts";
import { checkFiles, readPicture } from "./picture.ts";
import { type LabelChoice, trueLabel } from "./trueLabel.ts";

/** Images that somebody named: picture files, or else a data set. */
export interface ImageChoice {
  readonly files: readonly string[];
  /** `kind`, `kind:path` or `kind:path?parameter=value`. */
  readonly dataset: string | null;
  readonly split: Split;
  readonly limit: number | null;
  /** Where data sets are looked for. */
  readonly workspace: string;
  /**
   * Class that the pictures show; the model's own prediction where nothing says it. Of a data set only null is used: then its own labels
   * are left out as well.
   */
  readonly label?: LabelChoice;
  /**
   * What becomes of the labels of a data set whose classes are not the model's: left out with a note, or refused with the flag named that leaves
   * them out; merely refused when left out.
   */
  readonly unmatched?: "leaveOut" | "nameFlag" | undefined;
  /** How pictures of another size are fitted; as the model's contract says when left out. */
  readonly fit?: FitRule | undefined;
}

export interface NamedImages extends ImageSource {
  /** In words: "the training images of mnist". */
  readonly name: string;
}
export interface OpenedImages {
  readonly images: EvaluationImages;
  /** The same ones, by place. */
  readonly chosen: NamedImages;
  /** Training images of the data set that are none of them; null where there are none. */
  readonly training: NamedImages | null;
  /** Of the labels, in their order; those of the model for pictures without labels. */
  readonly classNames: readonly string[];
  /** What was decided about the data that the user may want to know, in sentences. */
  readonly notes: readonly string[];
  /** Files of the data set that were left out. */
  readonly skipped: readonly SkippedFile[];
  /** Who says the label of each picture that was named, null where the model's own prediction stands for it; absent for a data set with labels. */
  readonly labelSources?: readonly (LabelSource | null)[];
  close(): Promise<void>;
}

/** Which labels are missing: all of them, some, or none (undefined). Then accuracies say nothing. */
export function missingLabels(sources: OpenedImages["labelSources"]): "predicted" | "partly" | undefined {
  if (!sources?.includes(null)) return undefined;
  return sources.every((source) => source === null) ? "predicted" : "partly";
}

/**
 * The images as the model takes them.
 * @throws USAGE when none are named, DATASET_EMPTY, IMAGE_SIZE, LABEL_RANGE and what the data set or the pictures throw
 */
export async function openImages(o: ImageChoice, model: Classifier, modelName: string, ctx: RunContext): Promise<OpenedImages> {
  if (o.dataset === null) return pictures(o, model, ctx);
  const { kind, dataset: source } = await loadNamed(o.dataset, o.workspace, model, ctx);
  try {
    checkShape(model, source.inputShape, modelName);
    const { dataset, without } = labelled(source, o, model, modelName);
    const images = evaluationImages(dataset, o.split, o.limit, ctx.rng);
    const { notes = [], skipped = [] } = dataset;
    const common = { skipped, close: () => dataset.close() };
    if (without !== null)
      return { ...withoutLabels(images, `the ${nameOf(o.split)} of ${kind}`, [...notes, ...without], model, ctx), ...common };
    const chosen = ofDataset(dataset, kind, o.split, images.places);
    const size = o.split === "train" ? 0 : dataset.size("train");
    const training = size > 0 ? ofDataset(dataset, kind, "train", allOf(size)) : null;
    return { images, chosen, training, classNames: dataset.classNames, notes, ...common };
  } catch (thrown) {
    await source.close();
    throw thrown;
  }
}

/** The data set in the model's classes, or why its labels are left out, in notes. @throws LABEL_RANGE */
function labelled(
  source: Dataset,
  { label, unmatched }: ImageChoice,
  model: Classifier,
  modelName: string,
): { readonly dataset: Dataset; readonly without: readonly string[] | null } {
  if (label === null) return { dataset: source, without: [] };
  try {
    return { dataset: inModelClasses(source, classesOf(model, modelName)), without: null };
  } catch (thrown) {
    if (!(thrown instanceof BulwarkError && thrown.code === "LABEL_RANGE") || unmatched === undefined) throw thrown;
    const { code, message, fix = "" } = thrown;
    if (unmatched === "leaveOut") return { dataset: source, without: [`The labels are left out. ${message} ${fix}`] };
    throw new BulwarkError(code, message, `${fix} Or leave the labels out with --no-label.`, { cause: thrown });
  }
}

/** Images whose labels are the model's own predictions. */
function withoutLabels(images: EvaluationImages, name: string, notes: readonly string[], model: Classifier, ctx: RunContext) {
  const predicted = predictedLabels(new Map(), model, ctx);
  const read: EvaluationImages["read"] = async (start, end) => {
    const batch = await images.read(start, end);
    return { ...batch, labels: await predicted(batch.images, start, batch.n) };
  };
  const all: EvaluationImages = { ...images, read, readsWithModel: true };
  const labelSources = Array.from({ length: images.n }, () => null);
  return { images: all, chosen: byPlace(all, name), training: null, classNames: model.classNames, notes, labelSources };
}

/** Labels of images that begin at place `start`: those that are known, else what the model predicts, once for each image. */
function predictedLabels(known: Map<number, number>, model: Classifier, ctx: RunContext) {
  return async (images: Float32Array, start: number, n: number): Promise<Int32Array> => {
    const places = Array.from({ length: n }, (_, i) => start + i);
    if (places.some((place) => !known.has(place))) {
      const scores = await probabilitiesInParts(model, images, { first: start }, ctx);
      places.forEach((place, i) => {
        if (!known.has(place)) known.set(place, argmax(scores, i, model.classes));
      });
    }
    return Int32Array.from(places, (place) => known.get(place) as number);
  };
}

const nameOf = (split: Split): string => (split === "train" ? "training images" : "test images");

const allOf = (size: number): Int32Array => Int32Array.from({ length: size }, (_, i) => i);

/** Images of a split by their places among those at `rows`. */
const ofDataset = (dataset: Dataset, kind: string, split: Split, rows: Int32Array): NamedImages => ({
  size: rows.length,
  name: `the ${nameOf(split)} of ${kind}`,
  read: (places) =>
    dataset.read(
      split,
      Int32Array.from(places, (place) => rows[place] as number),
    ),
});

/** Where nothing says what a picture shows, the model's own prediction counts as the truth. Pictures are read as they are wanted. */
async function pictures(o: ImageChoice, model: Classifier, ctx: RunContext): Promise<OpenedImages> {
  const { files, limit, workspace } = o;
  const named = limit === null ? files : files.slice(0, limit);
  if (named.length === 0)
    throw new BulwarkError("USAGE", "There are no images.", "Name pictures with --image or a data set with --dataset.");
  await checkFiles(named);
  const size = model.inputShape.reduce((a, b) => a * b);
  const labels = await labelsOf(named, o.label, model);
  const known = new Map(labels.flatMap(({ label }, place) => (label ? [[place, label.index] as const] : [])));
  const isLabelled = known.size === named.length;
  const predicted = predictedLabels(known, model, ctx);
  const notes = new Set(labels.flatMap((found, i) => found.notes.map((note) => `${path.basename(named[i] as string)}: ${note}.`)));
  const read = async (start: number, end: number): Promise<ImageBatch> => {
    const images = new Float32Array((end - start) * size);
    for (const [i, file] of named.slice(start, end).entries()) {
      const { pixels, fit } = await readPicture(file, model, o.fit);
      images.set(pixels, i * size);
      if (fit) notes.add(fitNote(fit.to, fit.rule));
    }
    return { images, labels: await predicted(images, start, end - start), n: end - start };
  };
  await read(0, Math.min(named.length, batchSizeOf(model.inputShape))); // what cannot be read is refused before anything is computed
  const all: EvaluationImages = {
    n: named.length,
    inputShape: model.inputShape,
    read,
    readsWithModel: !isLabelled,
    identify: identifying(named, workspace),
  };
  const [first = ""] = named;
  const name = named.length === 1 ? path.basename(first) : `${named.length} pictures`;
  const labelSources = labels.map(({ label }) => label?.source ?? null);
  const opened = {
    images: all,
    chosen: byPlace(all, name),
    training: null,
    classNames: model.classNames,
    notes: [...notes],
    skipped: [],
    labelSources,
  };
  return { ...opened, close: async () => undefined };
}

async function labelsOf(files: readonly string[], choice: LabelChoice, model: Classifier): Promise<FoundLabel[]> {
  const found: FoundLabel[] = [];
  for (const file of files) found.push(await trueLabel(file, choice, model));
  return found;
}

/** What picture files are; each is named as it lies in the folder that is worked in. */
const identifying =
  (files: readonly string[], workspace: string) =>
  async (start: number, end: number): Promise<ImageIdentity[]> => {
    const found: ImageIdentity[] = [];
    for (const file of files.slice(start, end)) {
      const name = path.relative(workspace, path.resolve(file)).split(path.sep).join("/");
      found.push({ id: await fileIdentity(await readBytes(file), file), file: name });
    }
    return found;
  };

/** The images of an evaluation by place. */
export const byPlace = (images: EvaluationImages, name: string): NamedImages => ({
  size: images.n,
  name,
  read: async (places) => {
    const parts = await Promise.all(Array.from(places, (place) => images.read(place, place + 1)));
    const size = images.inputShape[0] * images.inputShape[1] * images.inputShape[2];
    const together = new Float32Array(parts.length * size);
    parts.forEach((part, i) => {
      together.set(part.images, i * size);
    });
    return { images: together, labels: Int32Array.from(parts, (part) => part.labels[0] as number), n: parts.length };
  },
});
