import path from "node:path";
import { BulwarkError, cancelled } from "../../shared/errors.ts";
import { count } from "../../shared/format.ts";
import { suggestion } from "../../shared/nearest.ts";
import type { PatchRanking, RankPatchesParams, RankPatchesResult } from "../../shared/protocol.ts";
import { runFiles } from "../../shared/runs.ts";
import { usualCut } from "../../shared/slices.ts";
import type { VolumizerOptions } from "../define/index.ts";
import { type PixelImage, readImage } from "../io/images.ts";
import { writePng } from "../io/png.ts";
import { createRun, type RunStore, settle } from "../io/runStore.ts";
import { toBytes } from "../pixels.ts";
import { find } from "../registry.ts";
import { gridOf } from "../volumizer/grid.ts";
import { type Ranking, rankSlices, scoreJson } from "../volumizer/volumize.ts";

/**
 * Cuts one picture into slices and orders them as the volumizer does; every slice is written as a PNG.
 * @throws PARAMETER_INVALID when the patch does not fit, cuts too many slices or the reference is none, IMAGE_INVALID, FILE_NOT_FOUND, CANCELLED
 */
export async function rankPatches(p: RankPatchesParams, signal: AbortSignal): Promise<RankPatchesResult> {
  const image = await open(p.image, p);
  const { height, width } = image;
  const { patch, onRemainder } = p.patch === "auto" ? usualCut(height, width) : { patch: p.patch, onRemainder: p.onRemainder ?? "error" };
  const options = optionsOf(p, patch, onRemainder);
  refuseMany(image, options);
  const padded =
    p.patch === "auto" && onRemainder === "reflectPad" ? [`edges mirrored, since no slice size divides ${height}×${width}`] : [];
  const ranking = rank(image, options);
  const title = `${p.measure} ${path.basename(p.image)}`;
  const { directory, force, ...request } = p;
  const store = await createRun({ workspace: directory, directory, kind: "rank", title, request, force });
  const work = async (): Promise<RankPatchesResult> => {
    await writePng(store.file("image.png"), toBytes(image.pixels), image.height, image.width, image.channels);
    const clean = await write(store, "clean", image, ranking, { patch, stride: p.stride || patch, signal });
    const second = p.attacked === undefined ? null : await open(p.attacked, { ...p, size: [image.height, image.width] });
    const attacked =
      second && (await write(store, "attacked", second, rank(second, options), { patch, stride: p.stride || patch, signal }));
    const result: RankPatchesResult = {
      directory: store.directory,
      image: "image.png",
      notes: [...image.notes, ...padded],
      onRemainder,
      clean,
      attacked,
    };
    await store.writeJson(runFiles.result, result);
    await store.update({ headline: `${ranking.Z} slices of ${patch}×${patch}` });
    return result;
  };
  return settle(store, work, (event) => store.append(event));
}

/** Every slice is written as a picture of its own, and nobody looks at more. */
const mostSlices = 10_000;

/** @throws PARAMETER_INVALID */
function refuseMany({ height, width }: PixelImage, options: VolumizerOptions): void {
  const { Z } = gridOf(height, width, options);
  if (Z <= mostSlices) return;
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `This patch size and stride cut a picture of ${height}×${width} into ${count(Z)} slices; at most ${count(mostSlices)} are ranked and written.`,
    "Use a larger patch or a larger stride.",
  );
}

function optionsOf(p: RankPatchesParams, patch: number, onRemainder: VolumizerOptions["onRemainder"]): VolumizerOptions {
  return {
    patch,
    stride: p.stride ?? 0,
    measure: find("measure", p.measure),
    measureParams: p.measureParams ?? {},
    order: p.order,
    reference: referenceOf(p.reference),
    refScore: "true",
    onRemainder,
  };
}

function referenceOf(reference: string): VolumizerOptions["reference"] {
  if (reference === "mostSalient" || reference === "minEntropy") return reference;
  if (/^\d+$/.test(reference)) return { index: Number(reference) };
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `There is no reference "${reference}".`,
    `${suggestion(reference, ["mostSalient", "minEntropy"])} Or give the number of a slice.`,
  );
}

/** In colour, or in one channel where the picture is grey, as the models do. */
async function open(file: string, p: Pick<RankPatchesParams, "size">): Promise<PixelImage> {
  const options = { resize: "cover", ...(p.size ? { size: p.size } : {}) } as const;
  const colour = await readImage(path.resolve(file), { channels: 3, ...options });
  const isGrey = colour.pixels.every((value, i) => value === colour.pixels[i - (i % 3)]);
  return isGrey ? readImage(path.resolve(file), { channels: 1, ...options }) : colour;
}

const rank = (image: PixelImage, options: VolumizerOptions): Ranking =>
  rankSlices(toBytes(image.pixels), image.height, image.width, image.channels, options);

async function write(
  store: RunStore,
  name: string,
  image: PixelImage,
  ranking: Ranking,
  { patch, stride, signal }: { readonly patch: number; readonly stride: number; readonly signal: AbortSignal },
): Promise<PatchRanking> {
  const bytes = toBytes(image.pixels);
  const { height, width, channels } = image;
  const slices: string[] = [];
  for (let slice = 0; slice < ranking.Z; slice++) {
    if (signal.aborted) throw cancelled();
    const file = `slices/${name}-${slice}.png`;
    const [top, left] = [Math.floor(slice / ranking.columns) * stride, (slice % ranking.columns) * stride];
    const [rows, columns] = [Math.min(patch, height - top), Math.min(patch, width - left)];
    const cut = new Uint8Array(rows * columns * channels);
    for (let y = 0; y < rows; y++) {
      const start = ((top + y) * width + left) * channels;
      cut.set(bytes.subarray(start, start + columns * channels), y * columns * channels);
    }
    await writePng(store.file(file), cut, rows, columns, channels);
    slices.push(file);
  }
  const { Z, rows, columns, perm, scores, reference, manyTies } = ranking;
  return { Z, patch, perm: [...perm], scores: [...scores].map(scoreJson), reference, manyTies, slices, columns, rows };
}
