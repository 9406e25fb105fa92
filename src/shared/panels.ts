import type { Catalog } from "./catalog.ts";
import type { ErrorData } from "./errors.ts";
import type { RunEvent } from "./events.ts";
import type { AttackRecords } from "./ledger.ts";
import type { AttackImageResult, ClassScore, RankPatchesResult, TracePoint } from "./protocol.ts";
import type { RunReport } from "./results.ts";
import type { RunState } from "./runs.ts";

/**
 * Webview contract. The webview sends `ready`, the host answers with one full `state`, then small `update`s; the webview sends
 * `intent`s. Truth stays with the host: all the webview persists is `{runId}`. File names inside results are resolved with `base`
 * (a webview URI of the run folder): `${base}/${file}`.
 */
export type ToWebview<State, Update> =
  | { readonly type: "state"; readonly state: State }
  | { readonly type: "update"; readonly update: Update };
export type FromWebview<Intent> =
  | { readonly type: "ready" }
  | { readonly type: "persist"; readonly runId: string }
  | { readonly type: "intent"; readonly intent: Intent };

export interface PanelError {
  readonly error: ErrorData;
  /** Label of the button that applies the fix, and the intent it sends; "Show log" is always there. */
  readonly action: { readonly label: string; readonly id: string } | null;
}

/** What every panel can ask for; answered in one place for all of them. */
export type CommonIntent =
  /** A chart, table or picture saved by the person: `name` proposes a file name, such as "loss.csv". */
  | { readonly kind: "save"; readonly name: string; readonly dataUrl: string }
  /** The button of an error card. */
  | { readonly kind: "fix"; readonly id: string }
  | { readonly kind: "showLog" }
  | { readonly kind: "openFolder" };

// ── Inspector ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface InspectorState {
  readonly status: "running" | "done" | "failed" | "cancelled";
  /** File name of the image, and what the models and attacks are called. */
  readonly title: string;
  readonly imageUri: string;
  readonly model: { readonly path: string; readonly label: string };
  readonly attack: { readonly id: string; readonly params: Readonly<Record<string, unknown>> };
  readonly explanation: { readonly id: string; readonly params: Readonly<Record<string, unknown>> };
  readonly catalog: Catalog;
  /** Webview URI of the run folder. */
  readonly base: string;
  readonly runId: string;
  readonly clean: { readonly size: readonly [number, number, number]; readonly image: string; readonly prediction: ClassScore } | null;
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly trace: readonly TracePoint[];
  readonly result: AttackImageResult | null;
  readonly ranking: {
    readonly status: "running" | "done" | "failed";
    readonly settings: RankingSettings;
    readonly result: RankPatchesResult | null;
    readonly error: PanelError | null;
  } | null;
  readonly error: PanelError | null;
}
export interface RankingSettings {
  /** Side of a slice. */
  readonly patch: number;
  readonly measure: string;
  readonly order: "asc" | "desc";
  /** mostSalient, minEntropy or the raster number of a slice. */
  readonly reference: string;
  /** What becomes of the edge where the side does not divide the image. */
  readonly onRemainder: "error" | "reflectPad";
}
export type InspectorUpdate =
  | { readonly kind: "iteration"; readonly done: number; readonly total: number; readonly point: TracePoint }
  | { readonly kind: "clean"; readonly clean: NonNullable<InspectorState["clean"]> };
export type InspectorIntent =
  | CommonIntent
  | { readonly kind: "rerun"; readonly attack: InspectorState["attack"]; readonly explanation: InspectorState["explanation"] }
  | { readonly kind: "cancel" }
  | { readonly kind: "rank"; readonly settings: RankingSettings }
  /** The image and the model go on into the Patch Studio. */
  | { readonly kind: "openPatchStudio" }
  | { readonly kind: "export"; readonly format: "png" | "npz" | "panel" | "command"; readonly dataUrl?: string };

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
export type TrainingIntent = CommonIntent | { readonly kind: "cancel" | "resume" | "openReport" };

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
  readonly base: string;
  readonly error: PanelError | null;
}
export type ReportUpdate = never;
export type ReportIntent =
  | CommonIntent
  | { readonly kind: "openHtml" }
  | { readonly kind: "inspect"; readonly index: number; readonly arm: string; readonly attack: string };
