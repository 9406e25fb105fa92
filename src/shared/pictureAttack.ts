import type { Pick } from "./cards.ts";
import type { KnownFrom } from "./contract.ts";
import type { AppliedFit, FitRule } from "./fit.ts";
import type { Finding } from "./results.ts";
import type { LabelSource, VerdictKind } from "./verdict.ts";

/** Requests about an attack on one picture, and what they answer. Files are relative to the run folder. */
export interface AttackImageParams {
  readonly image: string;
  /** Model file, run folder or a run's model folder. */
  readonly model: string;
  readonly attack: Pick;
  /** What stands in front of the model, first met first: the attack goes through it, and knows it. None when left out. */
  readonly defenses?: readonly Pick[];
  /** True class as a person chose it; null for none: the model's own prediction. Left out, the files around the picture may say it. */
  readonly label?: number | null;
  /** How a picture of another size is fitted; as the model's contract says when left out. */
  readonly fit?: FitRule | null;
  readonly seed: number;
  /** Run folder to write; it is created. */
  readonly directory: string;
}

export interface EstimateAttackParams {
  readonly model: string;
  readonly attack: Pick;
  readonly defenses: readonly Pick[];
}
/** What an attack on one picture takes at most. */
export interface AttackEstimate {
  /** What the attack is called with its parameters. */
  readonly label: string;
  /** Images through the model, forward and backward together. */
  readonly evaluations: number;
  readonly seconds: number;
}

export interface LabelRunParams {
  /** Run folder of an attack on a picture. */
  readonly directory: string;
  /** True class, chosen by a person. */
  readonly label: number;
}

export interface ClassScore {
  readonly index: number;
  readonly name: string;
  readonly probability: number;
}
/** State of the image before or after the attack. `image` is a PNG file. */
export interface ImageState {
  readonly image: string;
  readonly prediction: ClassScore;
  /** All classes, most probable first. */
  readonly scores: readonly ClassScore[];
}
/** One iteration of the attack. */
export interface TracePoint {
  readonly iteration: number;
  readonly trueProbability: number;
  readonly otherProbability: number;
  readonly otherClass: number;
  /** All that is shown of an iteration that was kept. */
  readonly step: TraceStep | null;
}
export interface TraceStep {
  /** PNG file. */
  readonly image: string;
  readonly norms: Norms;
  /** The most probable classes and the label, most probable first. */
  readonly scores: readonly ClassScore[];
}
/** Of adversarial − clean, in units of [0,1]; l0 counts changed pixels. */
export interface Norms {
  readonly linf: number;
  readonly l2: number;
  readonly l0: number;
}
/** What decides the result of an attack on a picture, beside attack and defences. */
export interface MadeBy {
  /** Name of the picture's file. */
  readonly image: string;
  /** Name of the model's folder, and SHA-256 of topology and weights. */
  readonly model: { readonly file: string; readonly sha256: string };
  readonly seed: number;
  /** Such as "Bulwark 0.1.0". */
  readonly software: string;
}
export interface AttackImageResult {
  readonly directory: string;
  readonly run: string;
  readonly size: readonly [height: number, width: number, channels: number];
  readonly label: ClassScore;
  /** False when `label` is only the model's own prediction. */
  readonly labelKnown: boolean;
  /** Class whose probability the trace follows, where that is another one than `label`: a label that was said after the attack. */
  readonly reference?: ClassScore;
  /** Of an older run, beside `reference`: the attack as it was made survived rounding to 8 bits, whether or not it still counts as a success. */
  readonly survivedRounding?: boolean;
  /** Where a known label comes from. Left out in older runs. */
  readonly labelSource?: LabelSource | null;
  /** Target class; null for an untargeted attack. Left out in older runs. */
  readonly target?: ClassScore | null;
  /** What became of the picture. Left out in older runs. */
  readonly verdict?: VerdictKind;
  readonly before: ImageState;
  readonly after: ImageState;
  /** PNG of the signed difference, diverging colours; `differenceMax` is the end of its scale in units of [0,1]. */
  readonly difference: string;
  readonly differenceMax: number;
  readonly norms: Norms;
  readonly success: boolean;
  readonly successAfter8Bit: boolean;
  /** As in `ImageRecord`. */
  readonly repaired?: true;
  /** What the model says of `adversarial.png` read back from its file. Left out in older runs. */
  readonly inFile?: ClassScore;
  readonly iterations: number;
  readonly seconds: number;
  readonly trace: readonly TracePoint[];
  readonly attack: Pick;
  /** What the attack is called with its parameters, such as "PGD-40, ε 8/255". Left out in older runs. */
  readonly attackLabel?: string;
  readonly defenses: readonly Pick[];
  /** How the attack got through the defences, in words; null where there are none. */
  readonly how: string | null;
  /** Why withstanding this attack says little, and which attack says more; absent where nothing says so. */
  readonly upperBound?: string;
  readonly findings: readonly Finding[];
  /** What was done to the picture to make it fit the model, such as "colour converted to grayscale". Left out in older runs. */
  readonly notes?: readonly string[];
  /** How a picture of another size was brought to the model's; null where it has that size. Left out in older runs. */
  readonly fit?: AppliedFit | null;
  /** Where the names of the classes come from; null where they are numbers. Left out in older runs. */
  readonly classNamesSource?: KnownFrom | null;
  /** What it was made of and with. Left out in older runs. */
  readonly made?: MadeBy;
  /** The same as one `bulwark attack` command. */
  readonly commandLine: string;
}
/** Sent while an attack on an image is under way, in this order. */
export type AttackImageUpdate =
  | { readonly kind: "clean"; readonly size: readonly [number, number, number]; readonly image: string; readonly prediction: ClassScore }
  | { readonly kind: "iteration"; readonly done: number; readonly total: number; readonly point: TracePoint };
