import { meanOnGrid } from "../attention/overlap.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { AnalysisSubject } from "../define/analysis.ts";
import type { Bound, Explanation, Explanations } from "../define/index.ts";
import { batchesWithin, type Range } from "../evaluation/batches.ts";

/** Sides of the grid where a method has none of its own: the paper's. */
const side = 8;

/** Attention on images, each on its own predicted class: plain data. */
export interface Attention {
  readonly layer: string | null;
  readonly grid: readonly [rows: number, columns: number];
  readonly isAveraged: boolean;
  readonly maps: readonly (readonly number[])[];
  readonly degenerate: readonly boolean[];
}
type OnImage = (explained: Explanations, at: number, index: number) => void;

/**
 * The maps of a range of images on the layer's grid, or averaged over one where the method has no grid of the picture.
 * @param key of the attack that left the images; null for clean ones
 * @param onBatch told how many of the range are done
 * @param onImage told of every image in turn: its place in what was explained together, and its index
 */
export async function attentionOn(
  subject: AnalysisSubject,
  { method, key, range }: { readonly method: Bound<Explanation>; readonly key: string | null; readonly range: Range },
  onBatch: (done: number) => Promise<void>,
  onImage: OnImage = () => undefined,
): Promise<Attention> {
  const images = subject.images(key);
  const [height, width] = images.inputShape;
  const { size } = batchSizeFor(subject.model, "gradient");
  let [layer, grid, isAveraged] = [null as string | null, [Math.min(side, height), Math.min(side, width)] as [number, number], true];
  const [maps, degenerate]: [number[][], boolean[]] = [[], []];
  for (const [start, end] of batchesWithin(range, size)) {
    const explained = await subject.explain(method, images, [start, end]);
    for (let at = 0; at < end - start; at++) {
      const own = explained.grid(at);
      if (own?.shape.length === 2) [grid, isAveraged] = [own.shape as [number, number], false];
      maps.push(Array.from(own && !isAveraged ? own.values : meanOnGrid(explained.map(at), images.inputShape, grid)));
      degenerate.push(explained.degenerate[at] === true);
      onImage(explained, at, start + at);
    }
    layer = explained.layer;
    await onBatch(end - range[0]);
  }
  return { layer, grid, isAveraged, maps, degenerate };
}

/** The attention of ranges that follow one another. */
export function joinedAttention(parts: readonly Attention[]): Attention {
  const [first] = parts;
  if (!first) throw new Error("a set of test images has images");
  return { ...first, maps: parts.flatMap(({ maps }) => maps), degenerate: parts.flatMap(({ degenerate }) => degenerate) };
}
