import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { fitNote } from "../../shared/fit.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { SkippedFile } from "../define/index.ts";
import { decodeImage } from "../io/decode.ts";
import { readBytes } from "../io/files.ts";
import { fromBytes } from "../pixels.ts";
import { evaluationImages } from "./dataset.ts";
import { loadNamed } from "./namedData.ts";
import { checkFiles, readPicture } from "./picture.ts";
import type { ImageChoice } from "./source.ts";

export type PictureShape = readonly [height: number, width: number, channels: number];
export interface Picture {
  /** [H·W·C] in [0,1]. */
  readonly pixels: Float32Array;
  readonly shape: PictureShape;
  /** Of its file; null for an image of a data set. */
  readonly name: string | null;
}
/** Images one at a time, each of its own size. */
export interface Pictures {
  readonly n: number;
  /** The different shapes there are, at least one. */
  readonly shapes: readonly PictureShape[];
  /** What was decided about the data that the user may want to know, in sentences. */
  readonly notes: readonly string[];
  /** Files of the data set that were left out. */
  readonly skipped: readonly SkippedFile[];
  read(index: number): Promise<Picture>;
  close(): Promise<void>;
}

/**
 * Pictures or a data set, without a model at their own size, else as the model takes them. Every picture is read once, so that one that
 * cannot be used is refused before anything is computed.
 * @throws USAGE when none are named, DATASET_EMPTY, FILE_NOT_FOUND, IMAGE_INVALID, IMAGE_SIZE, and what the data set throws
 */
export async function openPictures(o: ImageChoice, model: Classifier | null, ctx: RunContext): Promise<Pictures> {
  if (o.dataset !== null) return ofDataset(o.dataset, o, model, ctx);
  const files = o.limit === null ? o.files : o.files.slice(0, o.limit);
  if (files.length === 0)
    throw new BulwarkError("USAGE", "There are no images.", "Name pictures with --image or a data set with --dataset.");
  await checkFiles(files);
  const notes = new Set<string>();
  const read = async (index: number): Promise<Picture> => {
    const file = files[index] as string;
    if (model) {
      const { pixels, fit } = await readPicture(file, model);
      if (fit) notes.add(fitNote(fit.to, fit.rule));
      return { pixels, shape: model.inputShape, name: file };
    }
    const { data, height, width, channels } = await decodeImage(await readBytes(path.resolve(file)), path.basename(file));
    return { pixels: fromBytes(data), shape: [height, width, channels], name: file };
  };
  const shapes = new Map<string, PictureShape>();
  for (const index of files.keys()) {
    const { shape } = await read(index);
    shapes.set(shape.join(), shape);
    await ctx.checkpoint();
  }
  return { n: files.length, shapes: [...shapes.values()], notes: [...notes], skipped: [], read, close: async () => undefined };
}

async function ofDataset(name: string, o: ImageChoice, model: Classifier | null, ctx: RunContext): Promise<Pictures> {
  const { dataset } = await loadNamed(name, o.workspace, model, ctx);
  try {
    const images = evaluationImages(dataset, o.split, o.limit, ctx.rng);
    const read = async (index: number): Promise<Picture> => ({
      pixels: (await images.read(index, index + 1)).images,
      shape: images.inputShape,
      name: null,
    });
    return {
      n: images.n,
      shapes: [images.inputShape],
      notes: dataset.notes ?? [],
      skipped: dataset.skipped ?? [],
      read,
      close: () => dataset.close(),
    };
  } catch (thrown) {
    await dataset.close();
    throw thrown;
  }
}
