import type { ModelCheck, ModelCheckUpdate } from "./modelCheck.ts";
import type { PanelError } from "./panels.ts";
import type { DoctorReport, ModelInspection } from "./protocol.ts";

export type { DoctorIntent, ModelIntent } from "./intents.ts";

/** State of the pages about a model, about this machine and about data; panels.ts has those about runs. */
type Status = "loading" | "ready" | "failed";

// ── Model ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** A run that this model was attacked or evaluated in, or that trained it. */
export interface ModelResult {
  readonly run: string;
  readonly title: string;
  /** Such as "clean 98.6 % · pgd 0.2 %". */
  readonly headline: string;
  /** Such as "3 h ago". */
  readonly age: string;
}
/** The check that follows the first look: it reads all weights. */
export interface ModelCheckState {
  readonly status: "running" | "done" | "cancelled" | "failed";
  /** How far it is; null before the first news. */
  readonly update: ModelCheckUpdate | null;
  readonly result: ModelCheck | null;
  readonly error: PanelError | null;
}
export interface ModelState {
  /** By which the page is found again after a reload. */
  readonly runId: string;
  readonly status: Status;
  readonly title: string;
  /** As people know the file. */
  readonly path: string;
  readonly inspection: ModelInspection | null;
  /** Name of the contract file beside the model; null where there is none. */
  readonly contractFile: string | null;
  readonly results: readonly ModelResult[];
  /** Null before the model was looked at. */
  readonly check: ModelCheckState | null;
  readonly error: PanelError | null;
}
export type ModelUpdate = never;

// ── Doctor ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface DoctorState {
  /** By which the page is found again after a reload. */
  readonly runId: string;
  readonly status: Status;
  readonly report: DoctorReport | null;
  readonly error: PanelError | null;
}
export type DoctorUpdate = never;
