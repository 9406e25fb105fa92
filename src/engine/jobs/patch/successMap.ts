import path from "node:path";
import { cividis } from "../../../shared/colour.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import type { PatchFigures, PatchSuccessMapParams, PatchSuccessMapResult, PatchSuccessMapUpdate } from "../../../shared/patch.ts";
import { inOneRow, inParts } from "../../backends/parts.ts";
import { batchSizeFor } from "../../classifier/batchSizes.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import type { RunContext } from "../../context.ts";
import type { ImageBatch } from "../../define/index.ts";
import { argmax } from "../../evaluation/clean.ts";
import { openImages } from "../../evaluation/source.ts";
import { writePng } from "../../io/png.ts";
import { PatchTally } from "../../patches/figures.ts";
import type { ImageShape, Patch } from "../../patches/patch.ts";
import { halfExtent } from "../../patches/placement.ts";
import { pasteInto, warpOf } from "../../patches/warp.ts";
import type { Engine } from "../../session/engine.ts";
import { logitsOf } from "./previewPatch.ts";
import { imageChoice, openPatch } from "./scene.ts";

/**
 * What a patch does at every place of a grid, over some images: the share of them that is fooled, by position. Images that the model has
 * wrong already and images of the target class are left out.
 * @throws PARAMETER_INVALID for a stride below 1 or a patch larger than the image
 */
export async function patchSuccessMap(
  p: PatchSuccessMapParams,
  engine: Engine,
  ctx: RunContext,
  update: (update: PatchSuccessMapUpdate) => void,
): Promise<PatchSuccessMapResult> {
  if (!(p.stride >= 1)) throw new BulwarkError("PARAMETER_INVALID", `The stride is ${p.stride}.`, "Use 1 pixel or more.");
  const model = await engine.model(p.model);
  const { patch } = await openPatch(p.patch, model, p.sticker);
  const [rotation, scale] = [p.rotation ?? 0, p.scale ?? 1];
  const [halfHeight, halfWidth] = halfExtent(patch, { rotation, scale });
  const rows = positions(halfHeight, model.inputShape[0], p.stride);
  const columns = positions(halfWidth, model.inputShape[1], p.stride);
  const opened = await openImages(imageChoice(p.images, p.workspace), model, p.model, ctx);
  const images = await attackable(model, await opened.images.read(0, opened.images.n).finally(opened.close), patch.target);
  const places = rows.flatMap((row) => columns.map((column) => ({ row, column, rotation, scale })));
  const figures: Judged[] = [];
  for (const [i, place] of places.entries()) {
    figures.push(await judged(model, patch, warpOf(patch, place, model.inputShape), images));
    update({ done: i + 1, total: places.length });
    await ctx.checkpoint();
  }
  const table = <T>(of: (judgement: Judged) => T): T[][] =>
    rows.map((_, i) => columns.map((__, j) => of(figures[i * columns.length + j] as Judged)));
  const directory = path.resolve(p.directory);
  const success = table(({ successRate }) => successRate);
  await writeMap(path.join(directory, picture), success, rows, columns, p.stride, model.inputShape);
  return {
    directory,
    rows,
    columns,
    images: images.n,
    success,
    target: patch.target === null ? null : table(({ targetRate }) => targetRate),
    probability: table(({ probability }) => probability),
    picture,
  };
}
const picture = "success-map.png";

/** Middles at equal distances, the whole patch inside, the rest shared between both ends in whole pixels. @throws PARAMETER_INVALID */
function positions(half: number, size: number, stride: number): number[] {
  const room = size - 2 * half;
  if (room < -1e-6)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `The patch is ${2 * half} pixels long, the image ${size}.`,
      "Choose a smaller scale or rotation.",
    );
  const count = Math.floor(room / stride + 1e-9) + 1;
  const start = half + Math.floor((room - (count - 1) * stride) / 2 + 1e-9);
  return Array.from({ length: count }, (_, i) => start + i * stride);
}

/** The images that the model has right, less those of the target class. */
async function attackable(model: Classifier, batch: ImageBatch, target: number | null): Promise<ImageBatch> {
  const size = batch.images.length / Math.max(1, batch.n);
  const { most } = batchSizeFor(model, "forward");
  const logits = await inParts(batch.n, most, model.evaluations, (start, end) =>
    logitsOf(model, batch.images.slice(start * size, end * size)),
  );
  const scores = inOneRow(logits);
  const kept = [...batch.labels.keys()].filter((i) => {
    const label = batch.labels[i];
    return label !== target && argmax(scores, i, model.classes) === label;
  });
  const images = new Float32Array(kept.length * size);
  for (const [place, i] of kept.entries()) images.set(batch.images.subarray(i * size, (i + 1) * size), place * size);
  return { images, labels: Int32Array.from(kept, (i) => batch.labels[i] as number), n: kept.length };
}

type Judged = PatchFigures & { readonly probability: number | null };

/** One place on all images. The probability is the mean one, not that of the mean logarithm. */
async function judged(model: Classifier, patch: Patch, warp: ReturnType<typeof warpOf>, batch: ImageBatch): Promise<Judged> {
  const size = batch.images.length / Math.max(1, batch.n);
  const tally = new PatchTally(patch.target);
  const logits = await inParts(batch.n, batchSizeFor(model, "forward").most, model.evaluations, (start, end) => {
    const images = batch.images.slice(start * size, end * size);
    for (let at = 0; at < images.length; at += size) pasteInto(images.subarray(at, at + size), patch.pixels, warp, patch.channels);
    return logitsOf(model, images);
  });
  const scores = inOneRow(logits);
  for (const [i, label] of batch.labels.entries()) tally.add(scores.subarray(i * model.classes, (i + 1) * model.classes), label);
  return { ...tally.figures, probability: tally.probability };
}

/** Every pixel has the colour of the position nearest to it; where none is nearer than a stride, it is transparent. */
async function writeMap(
  file: string,
  success: readonly (readonly (number | null)[])[],
  rows: readonly number[],
  columns: readonly number[],
  stride: number,
  [height, width]: ImageShape,
): Promise<void> {
  const bytes = new Uint8Array(height * width * 4);
  const nearest = (places: readonly number[], at: number): number | undefined => {
    const i = Math.min(places.length - 1, Math.max(0, Math.round((at + 0.5 - (places[0] ?? 0)) / stride)));
    return Math.abs(at + 0.5 - (places[i] ?? 0)) <= Math.max(stride / 2, 0.5) + 1e-9 ? i : undefined;
  };
  for (let y = 0; y < height; y++) {
    const i = nearest(rows, y);
    for (let x = 0; x < width; x++) {
      const j = nearest(columns, x);
      const rate = i === undefined || j === undefined ? null : (success[i]?.[j] ?? null);
      if (rate !== null) bytes.set([...cividis(rate), 255], 4 * (y * width + x));
    }
  }
  await writePng(file, bytes, height, width, 4);
}
