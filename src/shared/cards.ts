import type { CalibrationParams, CalibrationResult, DetectionParams, DetectionResult } from "./detectionCards.ts";
import type { ErrorData } from "./errors.ts";
import type { AppliedFit, FitRule } from "./fit.ts";
import type { ClassScore, RankPatchesResult } from "./protocol.ts";

/** A choice from the catalogue: the id of an entry and its parameters, those left out at their defaults. */
export interface Pick {
  readonly id: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Cards of the Inspector: parts with a request, a status, an error and a cancel of their own, about images that exist already. A card is
 * a line in `Cards`, a file in `webview/inspector/cards`, one in `extension/panels/inspector/cards`, and a job of the engine.
 */
export interface Cards {
  attention: { readonly params: AttentionParams; readonly result: AttentionResult };
  defense: { readonly params: DefenseParams; readonly result: DefenseResult };
  sequence: { readonly params: SequenceParams; readonly result: SequenceResult };
  ranking: { readonly params: RankingParams; readonly result: RankPatchesResult };
  detection: { readonly params: DetectionParams; readonly result: DetectionResult };
  calibration: { readonly params: CalibrationParams; readonly result: CalibrationResult };
}
export type CardId = keyof Cards;
export const cardIds: readonly CardId[] = ["attention", "sequence", "defense", "ranking", "detection", "calibration"];
export type CardParams<K extends CardId> = Cards[K]["params"];
export type CardResult<K extends CardId> = Cards[K]["result"];

export interface CardState<K extends CardId = CardId> {
  readonly status: "running" | "done" | "failed" | "cancelled";
  /** What was asked for last; `result` may be that of an earlier request while this one is computed. */
  readonly params: CardParams<K>;
  readonly result: CardResult<K> | null;
  readonly error: PanelError | null;
  /** Of what takes long enough to report it. */
  readonly progress?: CardProgress;
}
export interface CardProgress {
  readonly done: number;
  readonly total: number;
}
export type CardStates = { readonly [K in CardId]?: CardState<K> };

export interface PanelError {
  readonly error: ErrorData;
  /** The button that applies the fix; "Show log" is always there. */
  readonly action: PanelAction | null;
  /** Further ways out. */
  readonly others?: readonly PanelAction[];
}
/** Label of a button, and the id that its intent `fix` sends. */
export interface PanelAction {
  readonly label: string;
  readonly id: string;
}

/** What a card's job works on: a picture, and where it was attacked, the images that the attack left in its run folder. */
export interface Inspected {
  /** The picture's file. */
  readonly image: string;
  readonly model: string;
  /** How a picture of another size is fitted; null as the model's contract says. */
  readonly fit: FitRule | null;
  /** What stands in front of the model, first met first; the attack went through it. */
  readonly defenses: readonly Pick[];
  readonly seed: number;
  /** Run folder of the attack; made where it holds no run yet. */
  readonly run: string;
  /** Iteration of the attack that is looked at; null for its result. */
  readonly iteration: number | null;
  /** Folder for the files of this request, relative to `run`; "" is `run` itself. */
  readonly folder: string;
}

/** What was done to a picture that was not attacked before the model saw it. */
export interface FittedPicture {
  readonly notes: readonly string[];
  readonly fit: AppliedFit | null;
}

export interface AttentionParams {
  /** Null for the first of the catalogue that works for the model. */
  readonly explanation: Pick | null;
  readonly iteration: number | null;
}
/** Files are relative to the run folder. */
export interface AttentionSide {
  readonly image: string;
  readonly map: string;
  /** The class whose evidence the map shows. */
  readonly prediction: ClassScore;
  /** Share of the image inside the attention area. */
  readonly share: number;
  /** The map is zero everywhere. */
  readonly degenerate: boolean;
  /** A picture of which each pixel holds 1 inside the attention area and 0 outside, as `ShownSuperpixels.file`; left out in older runs. */
  readonly area?: string;
  /** Where the method explains superpixels. */
  readonly superpixels?: ShownSuperpixels;
}
export interface ShownSuperpixels {
  /** A picture of which each pixel holds the number of its superpixel: red + 256·green. */
  readonly file: string;
  /** Weight of each superpixel in the probability of the class; 0 where the explanation does not use it. */
  readonly weights: readonly number[];
}
export interface AttentionResult {
  /** Left out in older runs. */
  readonly fitted?: FittedPicture;
  /** The one that was asked for, or was found to work. Left out in older runs. */
  readonly explanation?: Pick;
  readonly layer: string | null;
  /** Layers that can be looked at, in network order. */
  readonly layers: readonly string[];
  readonly clean: AttentionSide;
  readonly adversarial: AttentionSide | null;
  /** Overlap of the two areas, and what two areas of these sizes have by chance. */
  readonly iou: number | null;
  readonly randomIou: number | null;
}

export interface SequenceParams {
  readonly explanation: Pick;
}
/** Where the model looks along an attack: up to sixteen of the iterations that were kept, the first and the last among them. */
export interface SequenceResult {
  readonly points: readonly SequencePoint[];
}
export interface SequencePoint {
  readonly iteration: number;
  /** The map over the image of that iteration, relative to the run folder. */
  readonly image: string;
  /** The class whose evidence the map shows. */
  readonly prediction: ClassScore;
  /** Overlap of the area with that of the clean image; null where both are empty. */
  readonly iou: number | null;
}

export interface DefenseParams {
  /** First met first. */
  readonly defenses: readonly Pick[];
  readonly iteration: number | null;
}
export interface DefendedSide {
  /** The picture as the network sees it behind the defences. */
  readonly transformed: string;
  /** What the defences went by, in their order. Left out in older runs. */
  readonly maps?: readonly DefenseMap[];
  /** Largest change of a pixel by the defences, in units of [0,1]. */
  readonly change: number;
  readonly without: ClassScore;
  readonly behind: ClassScore;
}
/** A grey picture of values from 0 to 1. */
export interface DefenseMap {
  /** "gradient" */
  readonly name: string;
  /** Title of the defence. */
  readonly defense: string;
  readonly file: string;
}
export interface DefenseResult {
  /** Left out in older runs. */
  readonly fitted?: FittedPicture;
  readonly clean: DefendedSide;
  readonly adversarial: DefendedSide | null;
}

export interface RankingParams {
  /** Side of a slice; "auto" leaves it to the engine. */
  readonly patch: number | "auto";
  readonly measure: string;
  readonly order: "asc" | "desc";
  /** mostSalient, minEntropy or the raster number of a slice. */
  readonly reference: string;
  /** What becomes of the edge where the side does not divide the image. */
  readonly onRemainder: "error" | "reflectPad";
}
