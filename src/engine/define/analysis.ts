import type { Static, TObject } from "@sinclair/typebox";
import type { ArmCertificate } from "../../shared/certificate.ts";
import type { RunEvent } from "../../shared/events.ts";
import type { AnalysisResult, ArmReport, AttackSummary, Choice, ForwardTiming, ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { NpyArray } from "../io/npz.ts";
import type { Evaluations } from "./attack.ts";
import type { Box, EvaluationImages } from "./dataset.ts";
import type { Bound, Described, Entry } from "./entry.ts";
import type { Explanation, Explanations } from "./explanation.ts";
import type { Params } from "./params.ts";
import type { SliceFacts } from "./training.ts";

/** What an analysis may know of the experiment before anything has run. */
export interface ExperimentFacts {
  readonly dataset: string;
  readonly arms: readonly {
    readonly name: string;
    /** `standard` for none; several under one name. */
    readonly defense: Choice;
    readonly defenses: readonly Choice[];
    readonly model: string;
  }[];
  readonly attacks: readonly (Choice & {
    readonly key: string;
    /** As `followedIterations` has them. */
    readonly iterations: number | null;
    /** It looks for the smallest change. */
    readonly minimizes: boolean;
  })[];
  /** Ids. */
  readonly detectors: readonly string[];
  /** Parameters of an attack of the registry. @throws UNKNOWN_ID */
  attackParams(id: string): TObject;
  /** What an attack of the registry is called. @throws UNKNOWN_ID */
  attackTitle(id: string): string;
}

/** A network of the experiment before anything has run. */
export interface NetworkFacts {
  readonly arm: string;
  /** Of one that judges slices. */
  readonly slices: SliceFacts | null;
}

/** An attack that the analysis needs beside those of the experiment; the harness runs it on every arm. */
export interface FurtherAttack {
  readonly id: string;
  readonly params: Params;
  /** Name of its files: one for all equal attacks. */
  readonly key: string;
  /** Only so many of the test images; 0 for all. */
  readonly images: number;
  /** Only the images that the arm has wrong, away from its own prediction; the others are left as they are. */
  readonly wrongOnly?: true;
}

export interface AnalysedAttack {
  readonly key: string;
  readonly summary: AttackSummary;
  readonly records: readonly ImageRecord[];
  /** Of the undefended arm under the same attack; null for that arm itself and where there is none. */
  readonly undefended: readonly ImageRecord[] | null;
  /** Of this arm under images that were made without its defence; null where it was shown none. */
  readonly static: readonly ImageRecord[] | null;
}

/**
 * Work of an analysis on one image after another. A run does it in shards of about a minute, each of which is kept: it shows how far it is, and
 * goes on where it was stopped.
 */
export interface AnalysisPart {
  /** Unique within the analysis. */
  readonly name: string;
  /** Only the first so many test images; all of them when left out. */
  readonly images?: number;
  /** Passes for one image, clean or attacked: every image is looked at clean and under every attack. */
  readonly evaluations: Evaluations;
  /** Plain data of the test images [start, end). An image alone gives what it gives in any range. */
  measure(subject: AnalysisSubject, range: readonly [start: number, end: number], ctx: RunContext): Promise<unknown>;
}

/** An arm while its model is open. */
export interface AnalysisSubject {
  /** With its defences; the harness closes it. */
  readonly model: Classifier;
  /** The experiment's own attacks. */
  readonly attacks: readonly AnalysedAttack[];
  /** Those that the analysis asked for, in its order. */
  readonly further: readonly AnalysedAttack[];
  /** Clean test images for `null`, else those that an attack left. */
  images(attackKey: string | null): EvaluationImages;
  /** Those that an attack left on the same network without the arm's defence, where the arm was shown them; else those made on the arm. */
  staticImages(attackKey: string): EvaluationImages;
  /** Writes a picture [H,W,C], or a map [H,W] in colours, of values in [0,1] into the run folder. @returns its path there */
  draw(name: string, values: Float32Array, kind?: "picture" | "map"): Promise<string>;
  /** Writes arrays as `<stem>-<key>.npz` into the run folder, with the arm before the key for every arm but the first. @returns its path there */
  save(stem: string, key: string, arrays: Readonly<Record<string, NpyArray>>): Promise<string>;
  /** Boxes of a test image that show its label, in pixels; empty where the data set has none. */
  boxes(index: number): readonly Box[];
  /**
   * Attention on the class that the model predicts, for images of the range (all when left out).
   * @param superpixels [H·W] of each image of the range, in place of the method's own
   */
  explain(
    method: Bound<Explanation>,
    images: EvaluationImages,
    range?: readonly [start: number, end: number],
    superpixels?: readonly Int32Array[],
  ): Promise<Explanations>;
  /** Class probabilities [n·k] of all test images: attacked ones, or clean ones for `null`. */
  scores(attackKey: string | null): Promise<Scores>;
  /** What a part of the analysis gave for every shard, in the order of the images. */
  shards(part: string): Promise<readonly unknown[]>;
  /** Times single-image forward passes. */
  time(passes: number, warmUps: number): Promise<ForwardTiming>;
}
export interface Scores {
  readonly probabilities: Float32Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/** What one arm makes of the images that an attack left on another one. */
export interface CrossedAttack {
  readonly key: string;
  readonly madeOn: string;
  readonly shownTo: string;
  readonly records: readonly ImageRecord[];
}

/** An arm when everything is measured. */
export interface AnalysedArm {
  readonly report: ArmReport;
  readonly attacks: readonly AnalysedAttack[];
  /** What `measure` gave for this arm. */
  readonly data: unknown;
  readonly history: readonly Extract<RunEvent, { kind: "epoch" }>[];
}
export interface RunFacts extends ExperimentFacts {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** Of an analysis that `isCrossed`: every pair of different arms. */
  readonly crossed: readonly CrossedAttack[];
}
export type Presentation = Omit<AnalysisResult, "id" | "params">;

/** A further look at the results. Each part may be left out. */
export interface Analysis extends Entry {
  /** @throws EXPERIMENT_INVALID or PARAMETER_INVALID where the experiment cannot answer what is asked. */
  check?(params: Params, facts: ExperimentFacts): void;
  attacks?(params: Params, facts: ExperimentFacts): readonly FurtherAttack[];
  /** The images that its attacks left on an arm are shown to every other arm. */
  readonly isCrossed?: boolean;
  /** Explanations that it asks of every arm: a network without what they look at is refused before anything is trained. */
  explanations?(params: Params): readonly Explanation[];
  /** Called before anything is trained. @throws PARAMETER_INVALID for parameters that no network of the experiment can meet */
  checkNetworks?(params: Params, networks: readonly NetworkFacts[], facts: ExperimentFacts): void;
  /** Work on single images, done before `measure`. */
  parts?(params: Params): readonly AnalysisPart[];
  /** Plain data, kept in `arms[].analyses` of the report. */
  measure?(subject: AnalysisSubject, params: Params, ctx: RunContext): Promise<unknown>;
  /** Columns of the ledger, by name, with a whole number for every test image; from what `measure` gave. */
  ledger?(data: unknown): Readonly<Record<string, readonly number[]>>;
  /** What is proven of the arm, for the head of the report; from what `measure` gave. */
  certificate?(data: unknown): ArmCertificate;
  present(arms: readonly AnalysedArm[], params: Params, facts: RunFacts): Presentation;
}

export function defineAnalysis<P extends TObject>(
  spec: Described<P, Static<P>> & {
    check?(params: Static<P>, facts: ExperimentFacts): void;
    checkNetworks?(params: Static<P>, networks: readonly NetworkFacts[], facts: ExperimentFacts): void;
    attacks?(params: Static<P>, facts: ExperimentFacts): readonly FurtherAttack[];
    explanations?(params: Static<P>): readonly Explanation[];
    ledger?(data: unknown): Readonly<Record<string, readonly number[]>>;
    certificate?(data: unknown): ArmCertificate;
    parts?(params: Static<P>): readonly AnalysisPart[];
    measure?(subject: AnalysisSubject, params: Static<P>, ctx: RunContext): Promise<unknown>;
    readonly isCrossed?: boolean;
    present(arms: readonly AnalysedArm[], params: Static<P>, facts: RunFacts): Presentation;
  },
): Analysis {
  return spec as unknown as Analysis;
}
