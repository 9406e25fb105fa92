import { BulwarkError } from "../../shared/errors.ts";
import { iou } from "../attention/area.ts";
import { boxArea } from "../attention/overlap.ts";
import type { RunContext } from "../context.ts";
import type { AnalysedAttack, AnalysisSubject } from "../define/analysis.ts";
import type { Bound, Explanation } from "../define/index.ts";
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
  /** Only the first so many images. */
  readonly images: number;
  /** The attacked image has the superpixels of the clean one. */
  readonly isShared: boolean;
}

/** An area [H·W] for each number of superpixels, and the superpixel of each pixel. */
interface Explained {
  readonly areas: readonly Uint8Array[];
  readonly segments: Int32Array;
}

/** @throws PARAMETER_INVALID for an explanation that has no superpixels */
export async function superpixelStudies(subject: AnalysisSubject, asked: Asked, ctx: RunContext): Promise<SuperpixelStudy[]> {
  const counted = subject.attacks.map((attack) => ({ attack, isFooled: firstOf(fooledBy(attack), asked.images) }));
  const indices = [...new Set(counted.flatMap(({ isFooled }) => [...isFooled.keys()]))];
  const clean = new Map<number, Explained>();
  for (const [done, index] of indices.entries()) {
    clean.set(index, await explainedBy(subject, null, index, asked));
    await ctx.checkpoint({ phase: "Superpixels of clean images", done: done + 1, total: indices.length });
  }
  const studies: SuperpixelStudy[] = [];
  for (const { attack, isFooled } of counted) studies.push(await studyOf(subject, attack, isFooled, clean, asked, ctx));
  return studies;
}

const firstOf = (isFooled: ReadonlyMap<number, boolean>, images: number): Map<number, boolean> =>
  new Map([...isFooled].filter(([index]) => index < images));

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

async function studyOf(
  subject: AnalysisSubject,
  { key }: AnalysedAttack,
  isFooled: ReadonlyMap<number, boolean>,
  clean: ReadonlyMap<number, Explained>,
  asked: Asked,
  ctx: RunContext,
): Promise<SuperpixelStudy> {
  const deviation = asked.features.map(() => new Map<number, number>());
  const object = asked.features.map(() => new Map<number, number>());
  let [degenerate, done] = [0, 0];
  for (const index of isFooled.keys()) {
    const before = clean.get(index) as Explained;
    const after = await explainedBy(subject, key, index, asked, asked.isShared ? before.segments : undefined);
    const truth = boxArea(subject.boxes(index), subject.model.inputShape);
    const [hasArea, hasBox] = [before.areas[0]?.includes(1), truth.includes(1)];
    if (!hasArea || !after.areas[0]?.includes(1)) degenerate++;
    else for (const [i, area] of before.areas.entries()) deviation[i]?.set(index, iou(area, after.areas[i] as Uint8Array) ?? 0);
    if (hasArea && hasBox) for (const [i, area] of before.areas.entries()) object[i]?.set(index, iou(area, truth) ?? 0);
    await ctx.checkpoint({ phase: `Superpixels under ${key}`, done: ++done, total: isFooled.size });
  }
  const hasObjects = object.some((values) => values.size > 0);
  const areas = asked.features.map((features, i) => ({
    features,
    deviation: bySuccess(deviation[i] as Map<number, number>, isFooled),
    object: hasObjects ? bySuccess(object[i] as Map<number, number>, isFooled) : null,
  }));
  return { key, areas, degenerate };
}
