import type { CardId, CardState, CardStates, PanelError, Pick } from "./cards.ts";
import type { Catalog } from "./catalog.ts";
import type { RunEvent } from "./events.ts";
import type { FitRule } from "./fit.ts";
import type { AttackRecords } from "./ledger.ts";
import type { AttackEstimate, AttackImageResult, ClassScore, TracePoint } from "./protocol.ts";
import type { RunReport } from "./results.ts";
import type { RunState } from "./runs.ts";

/**
 * Webview contract. The webview sends `ready`, the host answers with one full `state`, then small `update`s; the webview sends
 * `intent`s. Truth stays with the host: all the webview persists is `{runId}`. File names inside results are resolved with `base`
 * (a webview URI of the run folder): `${base}/${file}`.
 */
export type ToWebview<State, Update> =
  | { readonly type: "state"; readonly state: State }
  | { readonly type: "update"; readonly update: Update; readonly pictures: readonly SentPicture[] };
export type FromWebview<Intent> =
  | { readonly type: "ready" }
  | { readonly type: "persist"; readonly runId: string }
  | { readonly type: "intent"; readonly intent: Intent };

/**
 * A picture sent together with the message that names it, so that the webview need not ask the host for it again. A reloaded page
 * still finds it under its address.
 */
export interface SentPicture {
  readonly url: string;
  /** The PNG file as a data URL. Not bytes: a typed array arrived as a plain object in a workbench in a browser. */
  readonly data: string;
}

export type { PanelAction, PanelError } from "./cards.ts";
export type { CommonIntent, InspectorIntent, ReportIntent, TrainingIntent } from "./intents.ts";

// ── Inspector ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface InspectorState {
  /** Of the attack; "idle" where nobody asked for one, "asked" where it takes long and has not been started. */
  readonly status: "idle" | "asked" | "running" | "done" | "failed" | "cancelled";
  /** File name of the image, and what the models and attacks are called. */
  readonly title: string;
  readonly imageUri: string;
  readonly model: { readonly path: string; readonly label: string };
  readonly attack: Pick;
  /** True class as a person chose it; null index for none. Null where the files around the picture may say it. */
  readonly label: { readonly index: number | null; readonly name: string } | null;
  /** How a picture of another size is fitted, as a person chose it for this model; null as the model's contract says. */
  readonly fit: FitRule | null;
  /** What stands in front of the model, first met first; the attack goes through it. */
  readonly defenses: readonly Pick[];
  readonly catalog: Catalog;
  /** Webview URI of the run folder. */
  readonly base: string;
  readonly runId: string;
  readonly clean: { readonly size: readonly [number, number, number]; readonly image: string; readonly prediction: ClassScore } | null;
  /** What the attack would take; with status "asked" it waits for a person to start it. */
  readonly estimate: AttackEstimate | null;
  readonly progress: { readonly done: number; readonly total: number; readonly secondsLeft?: number } | null;
  readonly trace: readonly TracePoint[];
  readonly result: AttackImageResult | null;
  /** Parts about the images that exist, each with its own request; none of them attacks. */
  readonly cards: CardStates;
  readonly error: PanelError | null;
}
export type InspectorUpdate =
  | { readonly kind: "iteration"; readonly done: number; readonly total: number; readonly secondsLeft?: number; readonly point: TracePoint }
  | { readonly kind: "clean"; readonly clean: NonNullable<InspectorState["clean"]> }
  | { readonly kind: "card"; readonly id: CardId; readonly card: CardState };

// ── Training ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface TrainingState {
  readonly run: RunState;
  readonly title: string;
  readonly base: string;
  readonly events: readonly RunEvent[];
  readonly error: PanelError | null;
}
export type TrainingUpdate =
  | { readonly kind: "events"; readonly events: readonly RunEvent[] }
  | { readonly kind: "run"; readonly run: RunState; readonly error: PanelError | null };

// ── Report ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** One attack's per-image records, read from the run folder. */
export interface LedgerPart extends AttackRecords {
  /** Webview-relative PNG per index, where one was written. */
  readonly thumbnails: Readonly<Record<number, { readonly clean: string; readonly adversarial: string }>>;
}
export interface ReportState {
  readonly run: RunState;
  readonly report: RunReport | null;
  readonly ledger: readonly LedgerPart[];
  readonly classNames: readonly string[];
  /** Index of an image → its file, relative to the data set; empty where images are in no files of their own. */
  readonly files: readonly string[];
  readonly base: string;
  readonly error: PanelError | null;
}
export type ReportUpdate = never;
