import type { CardState, Pick } from "../../src/shared/cards.ts";
import type { CalibrationResult, DetectedSide, DetectedUnit, DetectionResult, ThresholdChoice } from "../../src/shared/detectionCards.ts";
import { thresholdAt } from "../../src/shared/detectorThreshold.ts";
import type { BarFigure } from "../../src/shared/figures/figure.ts";
import { capital, count, number, percent, plural } from "../../src/shared/format.ts";
import { wilson } from "../../src/shared/results.ts";

/** What is named of the classes in a chart. */
export interface NamedClasses {
  /** True class; null where nobody knows it. */
  readonly label: number | null;
}

const totalVotes = ({ votes }: DetectedSide): number => (votes ?? []).reduce((sum, one) => sum + one.votes, 0);

/** One vote is always unanimous. */
export const isOneVote = ({ clean }: DetectionResult): boolean => clean.votes !== null && totalVotes(clean) === 1;

/** Whether scores are entropies in nats, or a detector's own. */
const isEntropy = ({ clean, detector }: DetectionResult): boolean => clean.votes !== null || detector.id === "softmaxEntropy";
export const unitOf = (result: DetectionResult): string => (isEntropy(result) ? "nats" : "");
const withUnit = (score: number, unit: string): string => `${number(score)}${unit === "" ? "" : ` ${unit}`}`;

/** Both are of detectors with all their parameters, in any order. */
const isSame = (a: Pick, b: Pick): boolean => a.id === b.id && inOrder(a) === inOrder(b);
const inOrder = ({ params }: Pick): string => JSON.stringify(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Scores of clean images by the same detector; `isOther` where those that are there are by another one, or by other settings. */
export function cleanScores(
  result: DetectionResult,
  calibration: CardState<"calibration"> | undefined,
): { readonly scores: CalibrationResult | null; readonly isOther: boolean } {
  const found = calibration?.result ?? null;
  const fits = found !== null && isSame(found.detector, result.detector);
  return { scores: fits ? found : null, isOther: found !== null && !fits };
}

/** Null without clean images to choose it on. */
export function thresholdOf(choice: ThresholdChoice, clean: CalibrationResult | null): number | null {
  if ("value" in choice) return choice.value;
  return clean && thresholdAt(clean.scores, choice.falsePositiveRate);
}

/** Where a threshold comes from, and what it does to clean images. */
export function thresholdText(choice: ThresholdChoice, clean: CalibrationResult | null, unit: string): string {
  const threshold = thresholdOf(choice, clean);
  if (threshold === null) return clean ? `The network classifies none of ${plural(clean.n, "image")} correctly (${clean.name}).` : "";
  const origin =
    "value" in choice
      ? "set by hand"
      : `the smallest that flags at most ${percent(choice.falsePositiveRate, 0)} of ${plural(clean?.scores.length ?? 0, "clean image")}`;
  const first = `Threshold ${withUnit(threshold, unit)}, ${origin}.`;
  if (!clean || clean.scores.length === 0) return `${first} How many clean images lie above it is not known.`;
  const n = clean.scores.length;
  const above = clean.scores.filter((score) => score > threshold).length;
  const [low, high] = wilson(above, n) ?? [0, 1];
  const interval = `95 % interval ${percent(low)} to ${percent(high)}`;
  const right = n === clean.n ? "all classified correctly" : `${count(n)} of ${count(clean.n)}, those that are classified correctly`;
  return `${first} Above it: ${count(above)} of ${count(n)} (${percent(above / n)}, ${interval}). The images: ${clean.name}, ${right}.`;
}

export interface DetectionVerdict {
  /** `none`: there is no threshold, or nothing to decide by. */
  readonly kind: "caught" | "missed" | "alarm" | "passed" | "none";
  readonly text: string;
}
/** What the detector says of both pictures, in words. @param attacked the second picture: "the attacked image", "iteration 12" */
export function detectionVerdict(result: DetectionResult, threshold: number | null, attacked = "the attacked image"): DetectionVerdict {
  const { clean, adversarial } = result;
  const unit = unitOf(result);
  if (isOneVote(result)) return { kind: "none", text: "No verdict: one pass gives one vote, and its entropy is always 0." };
  const scores = [`clean: ${withUnit(clean.score, unit)}`, ...(adversarial ? [`${attacked}: ${withUnit(adversarial.score, unit)}`] : [])];
  if (threshold === null)
    return { kind: "none", text: `No verdict without a threshold (${scores.join(", ")}). Larger means likelier adversarial.` };
  const [alarm, caught] = [clean.score > threshold, adversarial !== null && adversarial.score > threshold];
  const figures = `(${scores.join(", ")}, threshold: ${number(threshold)})`;
  if (!adversarial)
    return alarm
      ? { kind: "alarm", text: `Flagged as adversarial ${figures}.` }
      : { kind: "passed", text: `Not flagged: taken for a clean image ${figures}.` };
  if (caught && !alarm) return { kind: "caught", text: `Caught: ${attacked} is flagged, the clean one is not ${figures}.` };
  if (caught) return { kind: "alarm", text: `Both are flagged, the clean image by a false alarm ${figures}.` };
  return alarm
    ? { kind: "alarm", text: `Missed: ${attacked} passes as clean, and the clean one is flagged by a false alarm ${figures}.` }
    : { kind: "missed", text: `Missed: ${attacked} passes as clean ${figures}.` };
}

/** The largest score that the scale has to hold: that of votes spread as evenly as can be, or of all classes alike. */
export function scaleEnd(result: DetectionResult, threshold: number | null): number {
  const { clean, adversarial, classes } = result;
  const alike = clean.votes === null ? classes : Math.min(classes, totalVotes(clean));
  const most = isEntropy(result) ? Math.log(alike) : 0;
  return Math.max(most, clean.score, adversarial?.score ?? 0, threshold ?? 0) || 1;
}

/** Classes in a chart, at most, besides those that are named for a reason. */
const mostClasses = 6;

/**
 * Votes of the passes by class, those of both pictures; of a detector that takes none, the probabilities that its score is of. Classes
 * with the label or a prediction say so and are always there; the rest is one bar.
 */
export function votesFigure({ clean, adversarial }: DetectionResult, { label }: NamedClasses): BarFigure {
  const hasVotes = clean.votes !== null;
  const sides = [clean, ...(adversarial ? [adversarial] : [])];
  const values = sides.map(
    (side) => new Map(side.votes?.map((v) => [v.index, v.votes]) ?? side.scores.map((s) => [s.index, s.probability])),
  );
  const names = new Map(sides.flatMap((side) => [...side.scores, ...(side.votes ?? [])].map((one) => [one.index, one.name])));
  const most = (index: number): number => Math.max(...values.map((of) => of.get(index) ?? 0));
  const told = new Set(sides.map(({ prediction }) => prediction.index));
  if (label !== null && names.has(label)) told.add(label);
  const all = [...new Set([...values.flatMap((of) => [...of.keys()]), ...told])].sort((a, b) => most(b) - most(a) || a - b);
  const shown = all.filter((index, place) => place < mostClasses || told.has(index));
  const others = hasVotes ? all.filter((index) => !shown.includes(index)) : [];
  const rest = (of: ReadonlyMap<number, number>): number => others.reduce((sum, index) => sum + (of.get(index) ?? 0), 0);
  const passes = totalVotes(clean);
  return {
    kind: "bar",
    title: hasVotes ? `Votes of ${plural(passes, "pass", "passes")} by class` : "Probabilities by class",
    value: hasVotes ? { label: "Votes", format: "count", range: [0, passes] } : { label: "Probability", format: "number", range: [0, 1] },
    groups: {
      label: "Class",
      names: [
        ...shown.map((index) => named(names.get(index) ?? String(index), roles(index, clean, adversarial, label))),
        ...(others.length > 0 ? [plural(others.length, "other class", "other classes")] : []),
      ],
    },
    series: values.map((of, side) => ({
      label: side === 0 ? "Clean" : "Adversarial",
      colour: side,
      values: [...shown.map((index) => ({ y: of.get(index) ?? 0 })), ...(others.length > 0 ? [{ y: rest(of) }] : [])],
    })),
  };
}

/** Names that are longer are cut in a narrow chart: what they are named for comes first then. */
const longName = 24;
function named(name: string, of: readonly string[]): string {
  if (of.length === 0) return name;
  return name.length > longName ? `${capital(of.join(", "))}: ${name}` : `${name} (${of.join(", ")})`;
}

function roles(index: number, clean: DetectedSide, adversarial: DetectedSide | null, label: number | null): string[] {
  const isClean = clean.prediction.index === index;
  const isAttacked = adversarial?.prediction.index === index;
  const predicted = adversarial && isClean !== isAttacked ? (isClean ? "predicted for clean" : "predicted for adversarial") : "predicted";
  return [...(label === index ? ["label"] : []), ...(isClean || isAttacked ? [predicted] : [])];
}

/** What a table says of one unit, for both pictures: name, clean, adversarial. */
export function unitFacts(unit: DetectedUnit, other: DetectedUnit | undefined): (readonly string[])[] {
  const both = (text: (of: DetectedUnit) => string): string[] => [unit, ...(other ? [other] : [])].map(text);
  return [
    ["Rows of the map", ...both(({ rows }) => count(rows))],
    ["Channels", ...both(({ channels }) => count(channels))],
    ["Draws of a pass (c)", ...both(({ c }) => (c === null ? "none counted" : count(c)))],
    ["Active: not 0", ...both(({ active }) => percent(active))],
    ["Kept in a pass", ...both(({ kept }) => percent(kept))],
    ["Kept of what is active", ...both(({ kept, active }) => percent(active > 0 ? kept / active : null))],
  ];
}

/** "Row probabilities of relu_1: the largest is 0.0102; all alike would be 0.00148." */
export const probabilityText = ({ layer, rows }: DetectedUnit, largest: number): string =>
  `Probability of each place of ${layer} in one draw: the largest is ${number(largest)}; all alike would be ${number(1 / rows)}.`;
