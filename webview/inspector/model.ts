import { type CardId, cardIds, type DefendedSide, type DefenseResult, type Pick } from "../../src/shared/cards.ts";
import type { AppliedFit } from "../../src/shared/fit.ts";
import { count, epsilon, probability, progressPercent } from "../../src/shared/format.ts";
import type { InspectorIntent, InspectorState, InspectorUpdate } from "../../src/shared/panels.ts";
import type { AttackEstimate, AttackImageResult, ClassScore, Norms, TracePoint, TraceStep } from "../../src/shared/protocol.ts";
import { labelText, noLabelText, type VerdictKind, verdictOf, verdictText } from "../../src/shared/verdict.ts";
import { fileUrl } from "../lib/connect.ts";

/** What the person has set in the panel itself; nothing of it is the truth, so none of it is kept by the host. */
export interface Local {
  /** End of the difference's colour scale is 1/amplify; "auto" ends at the largest change. */
  amplify: 1 | 4 | 16 | "auto";
  /** Iteration that is shown; null follows the attack and then shows the result. */
  scrub: number | null;
  opacity: number;
  /** Slice (raster index) that the pointer or the focus is on. */
  slice: number | null;
  rankedImage: "clean" | "attacked";
}
export interface Context {
  readonly state: InspectorState;
  readonly local: Local;
  send(intent: InspectorIntent): void;
  /** Changes local settings and draws again. */
  set(change: Partial<Local>): void;
}

export function applyUpdate(state: InspectorState, update: InspectorUpdate): InspectorState {
  switch (update.kind) {
    case "clean":
      return { ...state, clean: update.clean };
    case "card":
      return { ...state, cards: { ...state.cards, [update.id]: update.card } };
    case "iteration":
      return { ...state, progress: progressOf(update), trace: [...state.trace, update.point] };
  }
}

const progressOf = ({ done, total, secondsLeft }: Extract<InspectorUpdate, { kind: "iteration" }>) => ({
  done,
  total,
  ...(secondsLeft === undefined ? {} : { secondsLeft }),
});

/** The explanation that the attention is by; null where it was left to the engine, which has not answered yet. */
export const explanationOf = ({ cards: { attention } }: InspectorState): Pick | null =>
  attention?.params.explanation ?? attention?.result?.explanation ?? null;

/** Cards that compute. */
export const runningCards = ({ cards }: InspectorState): readonly CardId[] => cardIds.filter((id) => cards[id]?.status === "running");

export const traceOf = (state: InspectorState): readonly TracePoint[] =>
  state.result && state.result.trace.length > 0 ? state.result.trace : state.trace;

export type KeptPoint = TracePoint & { readonly step: TraceStep };
/** The iterations that can be shown. */
export const keptOf = (state: InspectorState): readonly KeptPoint[] =>
  traceOf(state).filter((point): point is KeptPoint => Boolean(point.step));

/** The kept iteration nearest to one; the earlier of two. */
export function nearestKept(kept: readonly KeptPoint[], iteration: number): KeptPoint | null {
  const distance = (point: KeptPoint): number => Math.abs(point.iteration - iteration);
  return kept.reduce<KeptPoint | null>((best, point) => (best === null || distance(point) < distance(best) ? point : best), null);
}

/** Last place of the slider; while the attack runs, its track includes the iterations still to come. */
export function lastPlace(kept: readonly KeptPoint[], { status, progress }: InspectorState): number {
  const [first, second] = kept;
  const every = first && second ? second.iteration - first.iteration : 0;
  const expected = status === "running" && progress && every > 0 ? Math.ceil(progress.total / every) : 0;
  return Math.max(kept.length - 1, expected);
}

/** "Start", then "1 / 40" to "40 / 40". */
export function placeText(iteration: number, state: InspectorState): string {
  const last = state.status === "running" ? state.progress?.total : traceOf(state).at(-1)?.iteration;
  return iteration === 0 ? "Start" : `${iteration} / ${last ?? ""}`;
}

/** What the panel shows of the attacked image: the result, or one iteration. Pictures, norms, verdict, classes and attention are all of it. */
export interface Shown {
  readonly clean: string;
  readonly adversarial: string | null;
  /** Iteration that everything belongs to; null for the result. */
  readonly iteration: number | null;
  readonly norms: Norms | null;
  /** Most probable first; of an iteration not all classes. */
  readonly scores: readonly ClassScore[];
}
export function shownOf(state: InspectorState, scrub: number | null): Shown {
  const { result, base } = state;
  const cleanFile = result?.before.image ?? state.clean?.image;
  const clean = cleanFile ? fileUrl(base, cleanFile) : state.imageUri;
  const kept = keptOf(state);
  const point = scrub === null ? (result ? null : (kept.at(-1) ?? null)) : nearestKept(kept, scrub);
  if (point) {
    const { image, norms, scores } = point.step;
    return { clean, adversarial: fileUrl(base, image), iteration: point.iteration, norms, scores };
  }
  if (!result) return { clean, adversarial: null, iteration: null, norms: null, scores: [] };
  return { clean, adversarial: fileUrl(base, result.after.image), iteration: null, norms: result.norms, scores: result.after.scores };
}

export interface Verdict {
  readonly kind: VerdictKind | "running" | "none";
  readonly text: string;
}
/** "Start" is what the attack begins with; its steps count from 1. */
export const iterationText = (iteration: number): string => (iteration === 0 ? "Start" : `Iteration ${iteration}`);
export const scoreText = ({ name, probability: p }: ClassScore): string => `${name} (${probability(p)})`;

/** The result, or the iteration that is shown, in words. */
export function verdict(state: InspectorState, shown: Shown): Verdict {
  const { result, status } = state;
  if (status === "running") return { kind: "running", text: "Attack running…" };
  if (!result) return { kind: "none", text: status === "cancelled" ? "Cancelled; no result." : "Not attacked yet." };
  const { before, label, labelKnown, target = null } = result;
  const [from, to] = [before.prediction, shown.scores[0] ?? result.after.prediction];
  const known = labelKnown ? label.index : null;
  const kind = verdictOf({ label: known, clean: from.index, adversarial: to.index, target: target?.index ?? null });
  const names = { label: labelKnown ? label.name : null, clean: scoreText(from), adversarial: scoreText(to), target: target?.name ?? null };
  if (shown.iteration === null) return { kind, text: verdictText(kind, names) };
  const text = from.index === to.index ? `still ${scoreText(to)}` : `${scoreText(from)} → ${scoreText(to)}`;
  return { kind, text: `${iterationText(shown.iteration)}: ${text}.` };
}

/** "ε 8/255", the radius that the attack was given; empty for an attack that has none. */
export function radiusText({ result, catalog }: InspectorState): string {
  const properties = catalog.find(({ kind, id }) => kind === "attack" && id === result?.attack.id)?.params.properties ?? {};
  const name = Object.keys(properties).find((key) => properties[key]?.role === "radius");
  const value = name === undefined ? undefined : result?.attack.params[name];
  return typeof value === "number" ? `ε ${epsilon(value)}` : "";
}

/** "Target 3 is “cat”.", for an attack that is to reach a class by its number; empty where there is none, or nothing is known of it. */
export function targetLine(target: unknown, result: AttackImageResult | null): string {
  const name = typeof target === "number" ? result?.before.scores.find(({ index }) => index === target)?.name : undefined;
  return name === undefined || name === String(target) ? "" : `Target ${target} is “${name}”.`;
}

/** Whose label the verdict goes by, in a sentence; empty where nothing was attacked and nobody chose one. */
export function labelLine({ result, label }: InspectorState): string {
  if (result) return result.labelKnown ? labelText(result.label.name, result.labelSource ?? null) : noLabelText;
  if (!label) return "";
  return label.index === null ? noLabelText : labelText(label.name, { kind: "person", name: "" });
}

/** Whether the attack survives saving as a picture of 8 bits a channel. */
export function after8Bit(result: AttackImageResult): { readonly holds: boolean; readonly text: string } | null {
  if (!result.success) return null;
  const how = result.repaired ? " (moved to whole 8-bit levels, as rounding alone would have undone it)" : "";
  return result.successAfter8Bit
    ? { holds: true, text: `After rounding to 8 bits: still adversarial${how}.` }
    : { holds: false, text: "After rounding to 8 bits: no longer adversarial." };
}

/** What was done to the picture before the model saw it, a sentence each; empty when nothing was. */
export function pictureNotes({ result, cards }: InspectorState): string {
  const looked = cards.attention?.result?.fitted ?? cards.defense?.result?.fitted;
  const notes = result?.notes ?? looked?.notes ?? cards.ranking?.result?.notes ?? [];
  return notes.map((note) => `${note.charAt(0).toUpperCase()}${note.slice(1)}.`).join(" ");
}

/** How the picture was brought to the model's size; null where it has that size, or nothing has looked at it yet. */
export const fitOf = ({ result, cards }: InspectorState): AppliedFit | null =>
  (result ? result.fit : (cards.attention?.result?.fitted?.fit ?? cards.defense?.result?.fitted?.fit)) ?? null;

export const titleOf = (state: InspectorState, kind: "attack" | "defense", id: string): string =>
  state.catalog.find((entry) => entry.kind === kind && entry.id === id)?.title ?? id;

/** "PGD-40, ε 8/255 · through Bit-depth reduction" for the header: what the attack calls itself, and what it goes through. */
export function attackLabel(state: InspectorState): string {
  const through = state.defenses.map(({ id }) => titleOf(state, "defense", id)).join(", ");
  const name = state.result?.attackLabel ?? titleOf(state, "attack", state.attack.id);
  return `${name}${through === "" ? "" : ` · through ${through}`}`;
}

/** Where the class names come from; "Class names" where nothing has said it yet. */
export function classesText({ result }: InspectorState): string {
  const source = result?.classNamesSource;
  if (source === undefined) return "Class names";
  return source === null ? "Classes without names" : `Classes: ${source.kind === "assumed" ? "ImageNet, assumed" : source.text}`;
}

/** "PGD-4000, ε 8/255 takes about 4 000 evaluations, 3 min." */
export const estimateText = ({ label, evaluations, seconds }: AttackEstimate): string =>
  `${label} takes about ${count(roundedCount(evaluations))} evaluations of the model, ${roughly(seconds)}.`;

/** Two digits are as many as an estimate is worth. */
function roundedCount(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.round(value / unit) * unit;
}
/** "20 s", "3 min", "1 h 10 min" */
function roughly(seconds: number): string {
  if (seconds < 55) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${Math.round((minutes % 60) / 10) * 10} min`;
}

/** "43 %, about 2 min left" */
export function progressText({ done, total, secondsLeft }: NonNullable<InspectorState["progress"]>): string {
  const left = secondsLeft === undefined || secondsLeft < 5 ? "" : `, about ${roughly(secondsLeft)} left`;
  return `${progressPercent(done / Math.max(1, total))}${left}`;
}

/** What the header says under the image's name. */
export function subtitle(state: InspectorState): string {
  const attacked = state.status === "idle" ? [] : [attackLabel(state)];
  return [...(state.model.label === "" ? [] : [state.model.label]), ...attacked].join(" · ");
}

/** "Clean: seven (0.998) → seven (0.981). Adversarial: three (0.871) → seven (0.612)." */
export function outcome({ clean, adversarial }: DefenseResult): string {
  const change = ({ without, behind }: DefendedSide): string => `${scoreText(without)} → ${scoreText(behind)}`;
  const attacked = adversarial ? ` Adversarial: ${change(adversarial)}.` : "";
  return `Without → with the defence. Clean: ${change(clean)}.${attacked}`;
}

export interface ScorePair {
  readonly name: string;
  readonly index: number;
  readonly before: number;
  readonly after: number;
}

/** The `n` likeliest of sorted pairs, and the target class below them where it is not among them: how close it came. */
export function likeliest(pairs: readonly ScorePair[], n: number, target?: number): ScorePair[] {
  return pairs.filter(({ index }, place) => place < n || index === target);
}

/** Classes with both probabilities, the largest of the two first; those that have no second one are left out. */
export function scorePairs(before: readonly ClassScore[], after: readonly ClassScore[]): ScorePair[] {
  const earlier = new Map(before.map((s) => [s.index, s.probability]));
  return after
    .map((s) => ({ name: s.name, index: s.index, before: earlier.get(s.index) ?? 0, after: s.probability }))
    .sort((a, b) => Math.max(b.before, b.after) - Math.max(a.before, a.after));
}
