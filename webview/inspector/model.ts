import { epsilon, probability } from "../../src/shared/format.ts";
import type { InspectorIntent, InspectorState, InspectorUpdate } from "../../src/shared/panels.ts";
import type { AttackImageResult, TracePoint } from "../../src/shared/protocol.ts";
import { fileUrl } from "../lib/connect.ts";

/** What the person has set in the panel itself; nothing of it is the truth, so none of it is kept by the host. */
export interface Local {
  /** End of the difference's colour scale is 1/amplify; "auto" ends at the largest change. */
  amplify: 1 | 4 | 16 | "auto";
  /** Place in the trace that is shown; null follows the attack and then shows the result. */
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
  if (update.kind === "clean") return { ...state, clean: update.clean };
  return { ...state, progress: { done: update.done, total: update.total }, trace: [...state.trace, update.point] };
}

export const traceOf = (state: InspectorState): readonly TracePoint[] =>
  state.result && state.result.trace.length > 0 ? state.result.trace : state.trace;

/** The newest kept iterate at or before `at`. */
export function keptIterate(trace: readonly TracePoint[], at: number): TracePoint | null {
  for (let i = Math.min(at, trace.length - 1); i >= 0; i--) if (trace[i]?.image) return trace[i] ?? null;
  return null;
}

export interface Shown {
  readonly clean: string;
  readonly adversarial: string | null;
  /** Iteration that the adversarial picture belongs to; null for the result. */
  readonly iteration: number | null;
}
export function shownPictures(state: InspectorState, scrub: number | null): Shown {
  const clean = state.result?.before.image ?? state.clean?.image;
  const trace = traceOf(state);
  const point = scrub === null ? (state.result ? null : keptIterate(trace, trace.length - 1)) : keptIterate(trace, scrub);
  const file = point?.image ?? (scrub === null || point === null ? state.result?.after.image : undefined);
  return {
    clean: clean ? fileUrl(state.base, clean) : state.imageUri,
    adversarial: file ? fileUrl(state.base, file) : null,
    iteration: point?.iteration ?? null,
  };
}

export interface Verdict {
  readonly kind: "fooled" | "resisted" | "wrong" | "running" | "none";
  readonly text: string;
}
/** The slices of an image were ranked that nobody has attacked. */
export const isRankedOnly = (state: InspectorState): boolean =>
  state.ranking !== null && state.result === null && state.clean === null && state.status !== "running";

/** The result in words. */
export function verdict(state: InspectorState): Verdict {
  const { result } = state;
  if (!result) {
    if (state.status === "running") return { kind: "running", text: "Attack under way…" };
    if (isRankedOnly(state)) return { kind: "none", text: "Not attacked yet: “Re-run” attacks it." };
    return { kind: "none", text: state.status === "cancelled" ? "Cancelled before there was a result." : "No result." };
  }
  const { before, after, label } = result;
  const [from, to] = [before.prediction, after.prediction];
  if (result.labelKnown && from.index !== label.index)
    return { kind: "wrong", text: `Wrong without an attack: ${label.name} taken for ${from.name} (${probability(from.probability)}).` };
  if (result.success)
    return {
      kind: "fooled",
      text: `${from.name} (${probability(from.probability)}) → ${to.name} (${probability(to.probability)}): the attack succeeded.`,
    };
  return { kind: "resisted", text: `Resisted: still ${to.name} (${probability(to.probability)}).` };
}

/** Whether the attack outlives saving as a picture of 8 bits a channel. */
export function after8Bit(result: AttackImageResult): { readonly holds: boolean; readonly text: string } | null {
  if (!result.success) return null;
  return result.successAfter8Bit
    ? { holds: true, text: "After rounding to 8 bits: still adversarial." }
    : { holds: false, text: "After rounding to 8 bits: the attack is lost." };
}

/** What was done to the picture before the model saw it; empty when nothing was. */
export function pictureNotes({ result, ranking }: InspectorState): string {
  const notes = result?.notes ?? ranking?.result?.notes ?? [];
  return notes.length === 0 ? "" : `The picture was changed to fit: ${notes.join("; ")}.`;
}

/** "PGD ε 8/255" for the header: the attack's title and its radius, where it has one. */
export function attackLabel(state: InspectorState): string {
  const entry = state.catalog.find((e) => e.kind === "attack" && e.id === state.attack.id);
  const eps = state.attack.params["eps"] ?? entry?.params.properties["eps"]?.default;
  return `${entry?.title ?? state.attack.id}${typeof eps === "number" ? ` · ε ${epsilon(eps)}` : ""}`;
}
