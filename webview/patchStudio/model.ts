import { count, number, percent, plural, probability } from "../../src/shared/format.ts";
import type { PatchDocument, PatchFigures, PatchPlacement, PatchPreview, PatchSuccessMapResult } from "../../src/shared/patch.ts";
import type { StudioIntent, StudioPlace, StudioState, StudioTraining } from "../../src/shared/patchStudio.ts";
import { type Axes, type Line, type Plot, smooth } from "../lib/plot.ts";

export interface Context {
  readonly state: StudioState;
  send(intent: StudioIntent): void;
}

export const targetName = (state: StudioState): string | null => {
  const { patch } = state;
  if (!patch) return null;
  if (patch.document) return patch.document.target?.name ?? null;
  return patch.sticker.target < 0 ? null : (state.classes[patch.sticker.target] ?? String(patch.sticker.target));
};

/** What the training is at, in words. */
export function trainingText(training: StudioTraining | null): string {
  if (!training) return "Not trained yet.";
  const last = training.history.at(-1);
  const at = last ? `step ${last.step} of ${training.steps}` : "";
  if (training.status === "running") return last ? `Training: ${at}` : "Loading the model and the images…";
  if (training.status === "done")
    return last ? `Trained in ${plural(last.step, "step")} on ${plural(training.images, "image")}.` : "Trained.";
  if (training.status === "cancelled") return at ? `Cancelled at ${at}.` : "Cancelled.";
  if (training.status === "interrupted")
    return `Interrupted when the window was closed${at ? `, at ${at}` : ""}. Choose Continue to resume.`;
  return "Failed.";
}

/** A training that was stopped on its way has a checkpoint. */
export const canGoOn = (training: StudioTraining | null): boolean =>
  training !== null && training.history.length > 0 && ["cancelled", "interrupted", "failed"].includes(training.status);

const smoothing = 0.8; // weight of the moving average
/** Log-probability of the target class, and success, over the steps. */
export function trainingPlots(training: StudioTraining): readonly (readonly [Axes, Plot])[] {
  const { history, target } = training;
  const x = history.map((point) => point.step);
  const goal = target ? `“${target.name}”` : "any wrong class";
  // A step sees a few images only: the mean of the last steps is the line, the steps themselves are faint.
  const lines = (label: string, colour: number, y: readonly (number | null)[]): Line[] => {
    const style = { colour, isDashed: colour > 0 };
    return [
      { ...style, label: `${label}, single steps`, faint: true, y },
      { ...style, label, y: smooth(y, smoothing) },
    ];
  };
  const logProbability: readonly [Axes, Plot] = [
    { title: `Log-probability of ${goal}`, x: "Step", y: "Log-probability (nats)", format: "number", log: false },
    {
      x,
      lines: lines(
        "Log-probability",
        0,
        history.map((p) => p.logProbability),
      ),
      marks: [],
    },
  ];
  const ofClass = target
    ? lines(
        `Classified as ${target.name}`,
        1,
        history.map((p) => p.targetRate),
      )
    : [];
  const rates = [
    ...lines(
      "Misclassified",
      0,
      history.map((p) => p.successRate),
    ),
    ...ofClass,
  ];
  const success: readonly [Axes, Plot] = [
    { title: "Success", x: "Step", y: "Share of images", format: "percent", log: false, range: [0, 1] },
    { x, lines: rates, marks: [] },
  ];
  return [logProbability, success];
}

/** Figures in one sentence. */
export function figuresText({ images, successRate, targetRate, logProbability }: PatchFigures, target: string | null): string {
  if (images === 0 || successRate === null) return "No image was counted: all of them already belong to the target class.";
  const fooled = `${percent(successRate)} of ${plural(images, "image")} misclassified`;
  const aimed = target !== null && targetRate !== null ? `, ${percent(targetRate)} as “${target}”` : "";
  return `${fooled}${aimed}; mean log-probability ${number(logProbability)} nats.`;
}

/** What covering alone does; patches made before this was measured do not say. */
export const coveringText = (grey: PatchFigures | undefined): string =>
  grey === undefined || grey.successRate === null ? "" : `A plain grey patch in the same place: ${percent(grey.successRate)}.`;

/** Which step's patch was kept, where that is not the last. */
export const keptText = ({ bestStep, steps }: PatchDocument["training"]): string =>
  bestStep === undefined || bestStep === steps ? "" : `The best of the patches compared was kept, that of step ${count(bestStep)}.`;

export type PreviewKind = "target" | "fooled" | "resisted";
export const previewKind = (p: Pick<PatchPreview, "success" | "targetReached">): PreviewKind =>
  p.targetReached ? "target" : p.success ? "fooled" : "resisted";
const previewWords: Readonly<Record<PreviewKind, string>> = { target: "target class", fooled: "misclassified", resisted: "resisted" };
export const previewText = (p: PatchPreview): string =>
  `${p.label.name} → ${p.prediction.name} (${probability(p.prediction.probability)}), ${previewWords[previewKind(p)]}`;

const turn = 15;
const grow = 1.1;
const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

export const smallestScale = 0.1;
export const largestScale = 4;
type Size = readonly [height: number, width: number, channels: number];
/** What a place is on: the model's image, and the patch at scale 1. */
export interface Ground {
  readonly size: Size;
  readonly patchSize: readonly [height: number, width: number];
}
/** A patch may not be larger than the image. */
export const scaleLimit = ({ size, patchSize }: Ground): number =>
  Math.min(largestScale, size[0] / Math.max(1, patchSize[0]), size[1] / Math.max(1, patchSize[1]));

/** In the image, turned by less than a full circle, neither vanishing nor larger than the image. */
export function settled(p: PatchPlacement, ground: Ground): PatchPlacement {
  const [height, width] = ground.size;
  return {
    row: clamp(p.row, 0, height),
    column: clamp(p.column, 0, width),
    rotation: ((((p.rotation + 180) % 360) + 360) % 360) - 180,
    scale: clamp(p.scale, smallestScale, scaleLimit(ground)),
  };
}

/** What a key makes of a placement; null where it means something else. With Shift arrows go eight pixels, and R turns the other way. */
export function keyed(p: PatchPlacement, key: string, shift: boolean, ground: Ground): PatchPlacement | null {
  const { size } = ground;
  const far = shift ? 8 : 1;
  const next: Readonly<Record<string, Partial<PatchPlacement>>> = {
    ArrowUp: { row: p.row - far },
    ArrowDown: { row: p.row + far },
    ArrowLeft: { column: p.column - far },
    ArrowRight: { column: p.column + far },
    "+": { scale: p.scale * grow },
    "=": { scale: p.scale * grow },
    "-": { scale: p.scale / grow },
    r: { rotation: p.rotation + turn },
    R: { rotation: p.rotation - turn },
    "0": { row: size[0] / 2, column: size[1] / 2, rotation: 0, scale: 1 },
  };
  const change = next[key];
  return change ? settled({ ...p, ...change }, ground) : null;
}

export const samePlacement = (a: PatchPlacement | null, b: PatchPlacement | null): boolean =>
  a !== null && b !== null && a.row === b.row && a.column === b.column && a.rotation === b.rotation && a.scale === b.scale;

/** The place to ask for now: the newest wish, when the last answer is there and was about another place. */
export function nextPlacement(wish: PatchPlacement | null, place: StudioPlace | null): PatchPlacement | null {
  if (!wish || !place || place.status === "running" || samePlacement(wish, place.placement)) return null;
  return wish;
}

export function placementText({ row, column, rotation, scale }: PatchPlacement): string {
  return `row ${number(row)}, column ${number(column)}, rotated ${number(Math.round(rotation))}°, scale ${number(scale)}`;
}

/** The prediction with the patch, in words. */
export function placeText({ result }: StudioPlace): { readonly kind: PreviewKind; readonly text: string } | null {
  const [clean, patched] = [result?.clean[0], result?.patched[0]];
  if (!result || !clean || !patched) return null;
  const kind = previewKind(result);
  const change = `${clean.name} (${probability(clean.probability)}) → ${patched.name} (${probability(patched.probability)})`;
  const verdict = kind === "resisted" ? "resisted" : kind === "target" ? "target class reached" : "misclassified";
  return { kind, text: `${change}: ${verdict}.` };
}

export type MapFigure = "success" | "target" | "probability";
export const mapFigures: Readonly<Record<MapFigure, string>> = {
  success: "Misclassified",
  target: "Classified as the target",
  probability: "Mean probability of the goal",
};
export const mapValues = (map: PatchSuccessMapResult, figure: MapFigure): PatchSuccessMapResult["success"] =>
  (figure === "target" ? map.target : figure === "probability" ? map.probability : map.success) ?? map.success;

/** Extremes of a map in words. */
export function mapText(map: PatchSuccessMapResult, figure: MapFigure): string {
  const values = mapValues(map, figure).flatMap((row, i) =>
    row.flatMap((value, j) => (value === null ? [] : [{ value, at: `row ${map.rows[i]}, column ${map.columns[j]}` }])),
  );
  const [first] = values;
  if (!first)
    return "No image was counted: the model misclassifies all of them without the patch, or they already belong to the target class.";
  const high = values.reduce((a, b) => (b.value > a.value ? b : a), first);
  const low = values.reduce((a, b) => (b.value < a.value ? b : a), first);
  const places = plural(values.length, "place");
  return `${places}, ${plural(map.images, "image")} each: highest at ${high.at} (${percent(high.value)}), lowest at ${low.at} (${percent(low.value)}).`;
}

/** Pixels between positions so that there are about twelve either way. */
export function usualStride([height, width]: Size, [rows, columns]: readonly [number, number]): number {
  return Math.max(1, Math.ceil(Math.max(height - rows, width - columns) / 11));
}
