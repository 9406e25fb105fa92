import type { RunEvent } from "../../src/shared/events.ts";
import { percent } from "../../src/shared/format.ts";
import { type Finding, placeOf } from "../../src/shared/results.ts";

type Epoch = Extract<RunEvent, { kind: "epoch" }>;
type Step = Extract<RunEvent, { kind: "step" }>;
type Attention = Extract<RunEvent, { kind: "attention" }>;

interface LossPoint {
  readonly at: number;
  readonly loss: number;
  readonly parts?: Step["parts"];
}
/** All that the panel draws of one arm. */
export interface ArmSeries {
  readonly name: string;
  /** Position in epochs (2.5 = in the middle of the third), loss and its named parts of each reported step. */
  readonly steps: readonly LossPoint[];
  readonly epochs: readonly Epoch[];
  readonly attention: readonly Attention[];
  readonly plannedEpochs: number;
  readonly isTrained: boolean;
  readonly isReused: boolean;
  readonly bestEpoch: number | null;
}
export interface LogLine {
  readonly t: number;
  readonly kind: "phase" | "note" | "warning" | "finding" | "result" | "end";
  readonly text: string;
}
export interface Summary {
  readonly arms: readonly ArmSeries[];
  readonly log: readonly LogLine[];
  readonly backend: string;
  readonly device: string;
  readonly phase: string;
  readonly arm: string | null;
  readonly epoch: { readonly now: number; readonly of: number } | null;
  readonly imagesPerSecond: number | null;
  readonly etaSeconds: number | null;
  readonly memoryBytes: number | null;
  readonly overall: number | null;
  /** Where the loss stopped being a number, in epochs. */
  readonly diverged: { readonly arm: string; readonly at: number; readonly text: string } | null;
  readonly hasReport: boolean;
}

interface ArmDraft extends Flags {
  readonly name: string;
  readonly steps: LossPoint[];
  readonly epochs: Map<number, Epoch>;
  readonly attention: Map<number, Attention>;
}
interface Draft {
  arms: Map<string, ArmDraft>;
  summary: { -readonly [K in keyof Omit<Summary, "arms" | "log">]: Summary[K] };
  log: LogLine[];
}
interface Flags {
  plannedEpochs: number;
  isTrained: boolean;
  isReused: boolean;
  bestEpoch: number | null;
}

const emptySummary: Draft["summary"] = {
  backend: "",
  device: "",
  phase: "",
  arm: null,
  epoch: null,
  imagesPerSecond: null,
  etaSeconds: null,
  memoryBytes: null,
  overall: null,
  diverged: null,
  hasReport: false,
};

/** Everything the panel shows, from the events alone. Epochs that ran twice (resumed after a crash) count once, the later run of them. */
export function summarize(events: readonly RunEvent[]): Summary {
  const draft: Draft = { arms: new Map(), summary: { ...emptySummary }, log: [] };
  for (const event of events) read(draft, event);
  const arms = [...draft.arms.values()].map((arm) => ({ ...arm, epochs: inOrder(arm.epochs), attention: inOrder(arm.attention) }));
  return { ...draft.summary, arms, log: draft.log };
}

const inOrder = <T extends { readonly epoch: number }>(byEpoch: ReadonlyMap<number, T>): T[] =>
  [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);

function armOf(draft: Draft, name: string): ArmDraft {
  const known = draft.arms.get(name);
  if (known) return known;
  const made: ArmDraft = {
    name,
    steps: [],
    epochs: new Map(),
    attention: new Map(),
    plannedEpochs: 0,
    isTrained: false,
    isReused: false,
    bestEpoch: null,
  };
  draft.arms.set(name, made);
  return made;
}

function read(draft: Draft, event: RunEvent): void {
  const { summary } = draft;
  switch (event.kind) {
    case "started":
      for (const name of event.arms) armOf(draft, name);
      Object.assign(summary, { backend: event.backend, device: event.device });
      break;
    case "resumed":
      Object.assign(summary, { backend: event.backend, device: event.device, etaSeconds: null });
      note(draft, event.t, "phase", `Resumed on ${event.device}`);
      break;
    case "phase":
      summary.phase = event.phase;
      if (event.arm !== undefined) summary.arm = event.arm;
      note(draft, event.t, "phase", event.phase);
      break;
    case "progress":
      Object.assign(summary, { phase: event.phase, etaSeconds: event.etaSeconds, overall: event.overall });
      break;
    case "step":
      readStep(draft, event);
      break;
    case "epoch":
      readEpoch(draft, event);
      break;
    case "attention":
      armOf(draft, event.arm).attention.set(event.epoch, event);
      break;
    case "trained":
      Object.assign(armOf(draft, event.arm), { isTrained: true, isReused: event.reused, bestEpoch: event.bestEpoch });
      note(draft, event.t, "result", event.reused ? `${event.arm}: trained model reused` : `${event.arm}: trained`);
      break;
    default:
      readEnd(draft, event);
  }
}

function readStep(draft: Draft, event: Step): void {
  const arm = armOf(draft, event.arm);
  const at = event.epoch - 1 + event.step / Math.max(1, event.steps);
  // A resumed run repeats the steps since its last checkpoint.
  while ((arm.steps.at(-1)?.at ?? -1) >= at) arm.steps.pop();
  arm.steps.push({ at, loss: event.loss, ...(event.parts ? { parts: event.parts } : {}) });
  arm.plannedEpochs = event.epochs;
  Object.assign(draft.summary, { arm: event.arm, epoch: { now: event.epoch, of: event.epochs }, imagesPerSecond: event.imagesPerSecond });
  markDivergence(draft, event.arm, at, event.loss);
}

function readEpoch(draft: Draft, event: Epoch): void {
  const arm = armOf(draft, event.arm);
  arm.epochs.set(event.epoch, event);
  arm.plannedEpochs = event.epochs;
  const { arm: name, epoch, epochs, imagesPerSecond, memoryBytes } = event;
  Object.assign(draft.summary, { arm: name, epoch: { now: epoch, of: epochs }, imagesPerSecond, memoryBytes });
  markDivergence(draft, name, epoch, event.trainLoss);
}

/** JSON has no NaN: a loss that is no number arrives as null. */
function markDivergence(draft: Draft, arm: string, at: number, loss: number | null): void {
  if (loss === null || !Number.isFinite(loss)) draft.summary.diverged ??= { arm, at, text: "The loss is no number any more." };
}

function readEnd(draft: Draft, event: Exclude<RunEvent, { kind: "step" | "epoch" }>): void {
  if (event.kind === "warning") note(draft, event.t, "warning", event.message);
  else if (event.kind === "note" || event.kind === "batch") note(draft, event.t, "note", event.message);
  else if (event.kind === "finding") note(draft, event.t, "finding", findingText(event.finding));
  else if (event.kind === "attacked") note(draft, event.t, "result", attackedText(event));
  else if (event.kind === "done") {
    Object.assign(draft.summary, { hasReport: true, etaSeconds: null, overall: 1 });
    note(draft, event.t, "end", "Done");
  } else if (event.kind === "cancelled") note(draft, event.t, "end", "Cancelled");
  else if (event.kind === "failed") {
    if (event.error.code === "TRAINING_DIVERGED") {
      const arm = draft.arms.get(draft.summary.arm ?? "");
      const at = draft.summary.diverged?.at ?? arm?.steps.at(-1)?.at ?? 0;
      draft.summary.diverged = { arm: draft.summary.arm ?? "", at, text: event.error.message };
    }
    note(draft, event.t, "end", `Failed: ${event.error.message}`);
  }
}

const findingText = (finding: Finding): string => `${[finding.rule, placeOf(finding)].filter(Boolean).join(" ")}: ${finding.message}`;

function attackedText(event: Extract<RunEvent, { kind: "attacked" }>): string {
  return `${event.arm}, ${event.attack}${event.mode === "static" ? ", static" : ""}: accuracy ${percent(event.cleanAccuracy)} → ${percent(event.attackedAccuracy)}`;
}

const note = (draft: Draft, t: number, kind: LogLine["kind"], text: string): void => {
  if (draft.log.at(-1)?.text !== text) draft.log.push({ t, kind, text });
};
