import { iou, largestOf } from "../attention/area.ts";
import { boxArea, boxesOutside, randomOverlap, scaledCells } from "../attention/overlap.ts";
import type { RunContext } from "../context.ts";
import type { AnalysedAttack, AnalysisSubject } from "../define/analysis.ts";
import type { Bound, Explanation, Explanations } from "../define/index.ts";
import type { Range } from "../evaluation/batches.ts";
import { type BySuccess, bySuccess, fooledBy } from "./attentionGroups.ts";
import { type Attention, attentionOn, joinedAttention } from "./attentionMaps.ts";
import type { SuperpixelStudy } from "./attentionSuperpixels.ts";

/** Attention before and after one attack, over the images that were right before it (less those of the class that it aims at). */
export interface AttackStudy {
  readonly key: string;
  /** Images before any is left out. */
  readonly succeeded: number;
  readonly failed: number;
  /** Indices of images whose map is zero everywhere, right before or not: they are left out. */
  readonly degenerate: { readonly clean: readonly number[]; readonly adversarial: readonly number[] };
  /** IoU of the two attention areas for each number of cells, and on how many images a map has fewer cells above zero. */
  readonly deviation: readonly (BySuccess & { readonly sparse: number })[];
  /** Attention against the boxes of the label; null where no image has any. */
  readonly object: ObjectStudy | null;
  /** IoU of the two areas of every image in percent, for the number of cells in the middle of the list; −1 for an image left out. */
  readonly overlap: readonly number[];
  /** The maps and every IoU, in the run folder. */
  readonly file: string;
}
export interface ObjectStudy {
  /** IoU of the attention area on the clean image with the boxes, of the same size. */
  readonly overlap: BySuccess;
  /** Probability of the label on the clean images whose IoU is below ½. */
  readonly confidenceBelowHalf: BySuccess;
  /** Images without a box of their label inside the picture: they are left out. */
  readonly withoutBox: number;
  /** Boxes of the label that have no pixel of the picture, and the images that they belong to: such boxes are passed over. */
  readonly outside: { readonly boxes: number; readonly images: number };
}
export interface StudyData {
  /** That the maps were read from; null of a method that looks at none. */
  readonly layer: string | null;
  readonly grid: readonly [rows: number, columns: number];
  /** The method has no grid of the picture: its map of the picture is averaged over one. */
  readonly isAveraged: boolean;
  /** Numbers of cells as they were asked for, on the paper's grid; on this grid; and the IoU of as many random ones. */
  readonly wanted: readonly number[];
  readonly cells: readonly number[];
  readonly random: readonly number[];
  readonly attacks: readonly AttackStudy[];
  /** By superpixels, where some images are explained by them. */
  readonly superpixels?: readonly SuperpixelStudy[];
}

/** The number of cells that stands for all where one is enough: figures of several arms, columns of the ledger. */
export const middleOf = <T>(list: readonly T[]): T => list[(list.length - 1) >> 1] as T;

/** Maps of some test images: plain data. */
export interface MapShard {
  readonly clean: Attention & { readonly objects: readonly OnObject[] };
  /** In the order of the attacks. */
  readonly attacked: readonly Attention[];
}

/** The maps of a range of the test images, before and after each of the experiment's attacks. */
export async function mapsOf(subject: AnalysisSubject, method: Bound<Explanation>, range: Range, ctx: RunContext): Promise<MapShard> {
  const { labels } = await subject.scores(null);
  const objects: OnObject[] = [];
  const attacked: Attention[] = [];
  const [size, sets] = [range[1] - range[0], 1 + subject.attacks.length];
  const onBatch = (set: number) => (done: number) => ctx.checkpoint({ phase: "Attention", done: set * size + done, total: sets * size });
  const clean = await attentionOn(subject, { method, key: null, range }, onBatch(0), (explained, at, index) => {
    objects.push(objectOf(subject, explained, { at, index, label: labels[index] as number }));
  });
  for (const [i, { key }] of subject.attacks.entries()) attacked.push(await attentionOn(subject, { method, key, range }, onBatch(i + 1)));
  return { clean: { ...clean, objects }, attacked };
}

/** What each of the experiment's attacks did to the attention of an arm. @param shards all maps, in the order of the images */
export async function studyOf(subject: AnalysisSubject, wanted: readonly number[], shards: readonly MapShard[]): Promise<StudyData> {
  const clean = joinedAttention(shards.map((shard) => shard.clean));
  const objects = shards.flatMap((shard) => shard.clean.objects);
  const { layer, grid, isAveraged } = clean;
  const [rows, columns] = grid;
  const cells = wanted.map((k) => scaledCells(k, rows * columns));
  const attacks: AttackStudy[] = [];
  for (const [i, attack] of subject.attacks.entries()) {
    const adversarial = joinedAttention(shards.map(({ attacked }) => attacked[i] as Attention));
    attacks.push(await attackStudy(subject, attack, { ...clean, objects, cells }, adversarial));
  }
  return { layer, grid, isAveraged, wanted, cells, random: cells.map((k) => randomOverlap(k, rows * columns)), attacks };
}

/** The clean image against its boxes: IoU of its attention with them, null without a box inside; and the probability of its label. */
interface OnObject {
  readonly overlap: number | null;
  /** Boxes outside the picture. */
  readonly outside: number;
  readonly confidence: number;
}
function objectOf(
  { model, boxes }: AnalysisSubject,
  explained: Explanations,
  { at, index, label }: { readonly at: number; readonly index: number; readonly label: number },
): OnObject {
  const own = boxes(index);
  const truth = boxArea(own, model.inputShape);
  const outside = boxesOutside(own, model.inputShape);
  const size = truth.reduce((sum, inside) => sum + inside, 0);
  const overlap = size === 0 ? null : iou(largestOf(explained.map(at), size), truth);
  return { overlap, outside, confidence: explained.scores[at * model.classes + label] as number };
}

interface Clean extends Attention {
  readonly objects: readonly OnObject[];
  readonly cells: readonly number[];
}

async function attackStudy(subject: AnalysisSubject, attack: AnalysedAttack, clean: Clean, adversarial: Attention): Promise<AttackStudy> {
  const { key } = attack;
  const isFooled = fooledBy(attack);
  const met = adversarial.maps.map((_, index) => index);
  const kept = met.filter((index) => !clean.degenerate[index] && !adversarial.degenerate[index]);
  const overlaps = clean.cells.map((k) => new Map(kept.map((index) => [index, overlapOf(clean.maps[index], adversarial.maps[index], k)])));
  const hasFewer = (k: number) => (index: number) =>
    isFooled.has(index) && [clean, adversarial].some(({ maps }) => (maps[index]?.filter((value) => value > 0).length ?? 0) < k);
  const shown = middleOf(overlaps);
  const fooled = [...isFooled.values()].filter(Boolean).length;
  return {
    key,
    succeeded: fooled,
    failed: isFooled.size - fooled,
    degenerate: {
      clean: met.filter((index) => clean.degenerate[index]),
      adversarial: met.filter((index) => adversarial.degenerate[index]),
    },
    deviation: clean.cells.map((k, i) => ({
      ...bySuccess(overlaps[i] as Map<number, number>, isFooled),
      sparse: kept.filter(hasFewer(k)).length,
    })),
    object: objectStudy(clean, isFooled),
    overlap: clean.maps.map((_, index) => Math.round(100 * (shown.get(index) ?? -0.01))),
    file: await saved(subject, key, { clean, adversarial, kept, overlaps, isFooled }),
  };
}

const overlapOf = (a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined, k: number): number =>
  iou(largestOf(a ?? [], k), largestOf(b ?? [], k)) ?? 0;

function objectStudy({ objects, degenerate }: Clean, isFooled: ReadonlyMap<number, boolean>): ObjectStudy | null {
  if (objects.every(({ overlap, outside }) => overlap === null && outside === 0)) return null;
  const overlaps = new Map<number, number>();
  const below = new Map<number, number>();
  const counted = [...isFooled.keys()];
  for (const index of counted) {
    const { overlap, confidence } = objects[index] as OnObject;
    if (overlap === null || degenerate[index]) continue;
    overlaps.set(index, overlap);
    if (overlap < 0.5) below.set(index, confidence);
  }
  const withoutBox = counted.filter((index) => objects[index]?.overlap === null).length;
  const met = counted.map((index) => objects[index]?.outside ?? 0);
  const outside = { boxes: met.reduce((a, b) => a + b, 0), images: met.filter((boxes) => boxes > 0).length };
  return { overlap: bySuccess(overlaps, isFooled), confidenceBelowHalf: bySuccess(below, isFooled), withoutBox, outside };
}

interface Saved {
  readonly clean: Clean;
  readonly adversarial: Attention;
  readonly kept: readonly number[];
  readonly overlaps: readonly ReadonlyMap<number, number>[];
  /** Of the images that are right without the attack, whether it succeeded. */
  readonly isFooled: ReadonlyMap<number, boolean>;
}

/**
 * `attention-study-<attack>.npz` (contract.md §7), of all images that the attack met, right before it or not, less those left out. `index` is
 * the image's place in the test set; `counted` is 1 where the report counts it: it is classified correctly without the attack.
 */
function saved(subject: AnalysisSubject, key: string, { clean, adversarial, kept, overlaps, isFooled }: Saved): Promise<string> {
  const [n, k] = [kept.length, clean.cells.length];
  const [rows, columns] = clean.grid;
  const inRow = ({ maps }: Attention) => {
    const data = new Float32Array(n * rows * columns);
    for (const [row, index] of kept.entries()) data.set(maps[index] ?? [], row * rows * columns);
    return { data, shape: [n, rows, columns] };
  };
  const iou = Float64Array.from(kept.flatMap((index) => overlaps.map((values) => values.get(index) as number)));
  return subject.save("attention-study", key, {
    clean: inRow(clean),
    adversarial: inRow(adversarial),
    cells: { data: Int32Array.from(clean.cells), shape: [k] },
    iou: { data: iou, shape: [n, k] },
    success: { data: Uint8Array.from(kept, (index) => Number(isFooled.get(index) === true)), shape: [n] },
    counted: { data: Uint8Array.from(kept, (index) => Number(isFooled.has(index))), shape: [n] },
    index: { data: Int32Array.from(kept), shape: [n] },
  });
}
