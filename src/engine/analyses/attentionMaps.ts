import { meanOnGrid } from "../attention/overlap.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { RunContext } from "../context.ts";
import type { AnalysisSubject } from "../define/analysis.ts";
import type { Bound, Explanation, Explanations } from "../define/index.ts";
import { batchesOf } from "../evaluation/batches.ts";

/** Sides of the grid where a method has none of its own: the paper's. */
const side = 8;

/** Attention on n images, each on its own predicted class. */
export interface Attention {
  readonly layer: string | null;
  readonly grid: readonly [rows: number, columns: number];
  readonly isAveraged: boolean;
  readonly maps: readonly Float32Array[];
  readonly degenerate: readonly boolean[];
}
type OnImage = (explained: Explanations, at: number, index: number) => void;

/**
 * The maps of all images of a set on the layer's grid, or averaged over one where the method has no grid of the picture.
 * @param key of the attack that left the images; null for clean ones
 * @param onImage told of every image in turn: its place in what was explained together, and its index
 */
export async function attentionOn(
  subject: AnalysisSubject,
  { method, key }: { readonly method: Bound<Explanation>; readonly key: string | null },
  ctx: RunContext,
  onImage: OnImage = () => undefined,
): Promise<Attention> {
  const images = subject.images(key);
  const [height, width] = images.inputShape;
  const { size } = batchSizeFor(subject.model, "gradient");
  let [layer, grid, isAveraged] = [null as string | null, [Math.min(side, height), Math.min(side, width)] as [number, number], true];
  const [maps, degenerate]: [Float32Array[], boolean[]] = [[], []];
  for (const [start, end] of batchesOf(images.n, size)) {
    const explained = await subject.explain(method, images, [start, end]);
    for (let at = 0; at < end - start; at++) {
      const own = explained.grid(at);
      if (own?.shape.length === 2) [grid, isAveraged] = [own.shape as [number, number], false];
      maps.push(own && !isAveraged ? own.values : meanOnGrid(explained.map(at), images.inputShape, grid));
      degenerate.push(explained.degenerate[at] === true);
      onImage(explained, at, start + at);
    }
    layer = explained.layer;
    await ctx.checkpoint({ phase: key === null ? "Attention on clean images" : `Attention under ${key}`, done: end, total: images.n });
  }
  return { layer, grid, isAveraged, maps, degenerate };
}
