import { BulwarkError } from "../../shared/errors.ts";
import { iou } from "../attention/area.ts";
import { boxArea } from "../attention/overlap.ts";
import type { RunContext } from "../context.ts";
import type { AnalysisSubject } from "../define/analysis.ts";
import type { Bound, Explanation } from "../define/index.ts";
import type { Range } from "../evaluation/batches.ts";
import { areaOfFirst } from "../superpixels/areas.ts";
import { type BySuccess, bySuccess, fooledBy } from "./attentionGroups.ts";

/** Areas of the superpixels that speak most for the predicted class, before and after one attack. */
export interface SuperpixelStudy {
  readonly key: string;
  /** By the number of superpixels: IoU of the areas before and after, and of the clean one with the boxes of the label (null without any). */
  readonly areas: readonly { readonly features: number; readonly deviation: BySuccess; readonly object: BySuccess | null }[];
  /** Images without a superpixel that speaks for the class, before or after: they are left out. */
  readonly degenerate: number;
}
interface Asked {
  readonly method: Bound<Explanation>;
  readonly features: readonly number[];
  /** The attacked image has the superpixels of the clean one. */
  readonly isShared: boolean;
}

/** An area [H·W] for each number of superpixels, and the superpixel of each pixel. */
interface Explained {
  readonly areas: readonly Uint8Array[];
  readonly segments: Int32Array;
}

/**
 * One image under superpixels: plain data. A list has a value for each number of superpixels; it is null where no superpixel speaks for the
 * class, and where there is nothing to compare.
 */
export interface SuperpixelImage {
  readonly index: number;
  /** IoU of the clean area with the boxes of the label. */
  readonly object: readonly number[] | null;
  /** IoU of the areas before and after each of the experiment's attacks, which may not count the image. */
  readonly attacked: readonly (readonly number[] | null)[];
}

/** The images of a range that count for any attack. @throws PARAMETER_INVALID for an explanation that has no superpixels */
export async function superpixelsOf(
  subject: AnalysisSubject,
  asked: Asked,
  [start, end]: Range,
  ctx: RunContext,
): Promise<SuperpixelImage[]> {
  const counted = subject.attacks.map((attack) => ({ key: attack.key, isFooled: fooledBy(attack) }));
  const found: SuperpixelImage[] = [];
  for (let index = start; index < end; index++) {
    if (counted.some(({ isFooled }) => isFooled.has(index))) found.push(await imageOf(subject, counted, index, asked));
    await ctx.checkpoint({ phase: "Superpixels", done: index + 1 - start, total: end - start });
  }
  return found;
}

interface Counted {
  readonly key: string;
  readonly isFooled: ReadonlyMap<number, boolean>;
}
async function imageOf(subject: AnalysisSubject, counted: readonly Counted[], index: number, asked: Asked): Promise<SuperpixelImage> {
  const before = await explainedBy(subject, null, index, asked);
  const truth = boxArea(subject.boxes(index), subject.model.inputShape);
  const hasArea = before.areas[0]?.includes(1) ?? false;
  const under = async ({ key, isFooled }: Counted): Promise<number[] | null> => {
    if (!isFooled.has(index)) return null;
    const after = await explainedBy(subject, key, index, asked, asked.isShared ? before.segments : undefined);
    if (!hasArea || !after.areas[0]?.includes(1)) return null;
    return before.areas.map((area, i) => iou(area, after.areas[i] as Uint8Array) ?? 0);
  };
  const attacked: SuperpixelImage["attacked"][number][] = [];
  for (const attack of counted) attacked.push(await under(attack));
  const object = hasArea && truth.includes(1) ? before.areas.map((area) => iou(area, truth) ?? 0) : null;
  return { index, object, attacked };
}

async function explainedBy(
  subject: AnalysisSubject,
  key: string | null,
  index: number,
  { method, features }: Asked,
  given?: Int32Array,
): Promise<Explained> {
  const explained = await subject.explain(method, subject.images(key), [index, index + 1], given && [given]);
  const found = explained.superpixels(0);
  if (!found)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `attentionStudy: ${method.entry.title} has no superpixels.`,
      'Choose an explanation by superpixels, such as {"kind": "lime"}.',
    );
  return { areas: features.map((count) => areaOfFirst(found, count)), segments: found.segments };
}

/** What each attack did to the superpixels that speak most for the class. @param found of all images, in their order */
export const superpixelStudies = (
  subject: AnalysisSubject,
  features: readonly number[],
  found: readonly SuperpixelImage[],
): SuperpixelStudy[] =>
  subject.attacks.map((attack, at) => {
    const isFooled = fooledBy(attack);
    const met = found.filter(({ index }) => isFooled.has(index));
    const values = (of: (image: SuperpixelImage) => readonly number[] | null | undefined, i: number): Map<number, number> =>
      new Map(
        met.flatMap(
          (image) =>
            of(image)
              ?.slice(i, i + 1)
              .map((value) => [image.index, value] as const) ?? [],
        ),
      );
    const hasObjects = met.some(({ object }) => object);
    const areas = features.map((count, i) => ({
      features: count,
      deviation: bySuccess(
        values(({ attacked }) => attacked[at], i),
        isFooled,
      ),
      object: hasObjects
        ? bySuccess(
            values(({ object }) => object, i),
            isFooled,
          )
        : null,
    }));
    return { key: attack.key, areas, degenerate: met.filter(({ attacked }) => !attacked[at]).length };
  });
