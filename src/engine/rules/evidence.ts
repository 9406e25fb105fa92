import type { KnownFrom } from "../../shared/contract.ts";
import type { Choice, ImageRecord, Norm, Radius } from "../../shared/results.ts";
import type { Target } from "../define/index.ts";
import type { HarnessNotes } from "../harness/types.ts";
import type { Step, Steps } from "./step.ts";

/** What a network's outputs are by their values, none of which is negative. */
export interface OutputsByValue {
  /** "all": they sum to `most`, and are taken as probabilities. "some": they never sum to more. "each": each lies between 0 and `most`. */
  readonly kind: "all" | "some" | "each";
  /** 1, or 100 of what is in percent. */
  readonly most: 1 | 100;
}

/** A loaded model. */
export interface ModelEvidence {
  readonly outputs: "logits" | "probabilities";
  /** What the values on noise say of outputs that neither the file nor the contract states; absent where they say nothing. */
  readonly byValue?: OutputsByValue;
  /** The last activation where it keeps the scores in a range, such as "tanh"; null for none. */
  readonly bounded: string | null;
  /** Name of its input contract's file, which need not exist. */
  readonly contractFile: string;
  /** Where its input range comes from. */
  readonly contractSource: KnownFrom;
  /** The contract's range and the one that the model's file speaks for, in words; null where they agree. */
  readonly contradiction: string | null;
  /** Why it gives scores and no gradients, as a clause; null where it gives both. */
  readonly forwardOnly: string | null;
  /** Layers that round to 8 bits and let gradients through as if they did not. */
  readonly quantisers: number;
  /** What passes over a few images showed; absent where none were made. */
  readonly measured?: {
    /** Largest difference of a score between two passes over the same batch. */
    readonly passDifference: number;
    /** The same between an image in a batch and alone. */
    readonly batchDifference: number;
  };
  /** What a contract probe found; absent where none was made. */
  readonly probed?: {
    /** A range that the contract in force does not say does better, beyond chance; in words: "−1…1 is right on 48 of 64 images, 0…1 on 3". */
    readonly betterRange: string | null;
    /** Another reading of the labels does better, beyond chance; in words. */
    readonly betterLabels: string | null;
  };
}

/** One attack on one arm. */
export interface AttackEvidence {
  readonly attack: Choice;
  readonly notes: HarnessNotes;
  /** Images through a backward pass, all batches together. */
  readonly gradientEvaluations: number;
  readonly records: readonly ImageRecord[];
  /** The same attack with what it prepared emptied of content, such as a plain grey patch; absent for an attack that prepares nothing. */
  readonly control?: readonly ImageRecord[] | undefined;
  /** What the attack prepared was trained on the images that it is judged on. */
  readonly isOnItsOwn?: boolean | undefined;
  /** Images whose label it asked for, of an attack that prepares a substitute. */
  readonly queries?: number | undefined;
  /** Of an attack that steps. */
  readonly step?: Step | undefined;
  /** Of an untargeted one that follows gradients. */
  readonly steps?: Steps | undefined;
  /** Of an attack that looks for the smallest change. */
  readonly minimizes?: Norm | undefined;
}

/** One attack on one arm, beside others on the same images. */
export interface ComparedAttack {
  readonly arm: string;
  readonly id: string;
  readonly key: string;
  /** For people: "pgd (ε 0.3)". */
  readonly name: string;
  /** `Attack.iterative` of its entry. */
  readonly iterative: boolean;
  /** `Attack.access` of its entry. */
  readonly access: "gradients" | "scores" | "labels";
  /** Images that the attack may return; null where that follows from what it prepares, or where it looks for the smallest change. */
  readonly ball: Radius | null;
  /** The norm in which it looks for the smallest change; null for an attack within a radius. */
  readonly minimizes: Norm | null;
  /** Its target; null for an untargeted attack. */
  readonly target: Target | null;
  readonly records: readonly ImageRecord[];
  /**
   * How a defended arm was attacked: with images made without the defence alone, or by an attack on the whole arm. Null for an arm without a
   * defence.
   */
  readonly knowledge: "static" | "adaptive" | null;
  /** The same attack on the undefended arm, and its images as this arm classifies them; only beside an adaptive attack. */
  readonly static?: { readonly undefended: readonly ImageRecord[]; readonly transferred: readonly ImageRecord[] } | undefined;
  /** Images that the same attack left on other arms, as this one classifies them; absent where they were not shown to it. */
  readonly crossed?: readonly { readonly madeOn: string; readonly records: readonly Answer[] }[];
}

/** What became of one image, as far as comparisons ask. */
export type Answer = Pick<ImageRecord, "index" | "label" | "cleanPrediction" | "prediction">;

/** Label and predicted class of a clean image. */
export type CleanAnswer = Pick<ImageRecord, "label" | "cleanPrediction">;

/** An arm when all its attacks are done. */
export interface ArmEvidence {
  /** Sentences about how the trained network departs from the named one. */
  readonly departures: readonly string[];
  /** How the arm classifies the test images before any attack. */
  readonly clean: readonly CleanAnswer[];
  /** What the probe of its input contract measured on these data; null where none was made, or on other data or another model. */
  readonly probed: { readonly n: number; readonly hits: number } | null;
  /** What its gradients are worth; null where it has none, or where nobody looked. */
  readonly gradients: GradientEvidence | null;
  /** The network was trained by an experiment of Bulwark, and not taken as somebody's file has it. */
  readonly isTrainedHere: boolean;
  /** A defence in front changes the images before the network sees them. */
  readonly hasFront: boolean;
  /** An attack with a ball that holds every image; null where the arm gave no reason for one. */
  readonly unbounded: UnboundedEvidence | null;
}

/** Gradients at some clean images. */
export interface GradientEvidence {
  readonly n: number;
  /** Images where the gradient of the cross-entropy is exactly zero, and those where it is no number. */
  readonly zero: number;
  readonly notFinite: number;
  /** Images whose largest probability is exactly 1 in float32. */
  readonly saturated: number;
  /** Cosine between the slopes of the margin that the gradient says and those that finite differences show; null where it says nothing. */
  readonly agreement: number | null;
}

/** A detector on an arm when all its attacks are done. */
export interface DetectorEvidence {
  /** For people. */
  readonly name: string;
  readonly randomised: boolean;
  /** Passes with draws of their own that an attack which evades it averages over. */
  readonly evasionPasses: number;
  /** Attacks that it was measured on, and how many of them had to evade it. */
  readonly attacks: number;
  readonly adaptive: number;
  /** Images that its threshold was chosen on, none of which is a test image, and validation images that are test images too. */
  readonly thresholdImages: number;
  readonly sharedImages: number;
}

export interface UnboundedEvidence {
  readonly attack: string;
  readonly attackKey: string;
  /** Of `n` clean-correct images, those still classified correctly. */
  readonly survivors: number;
  readonly n: number;
  readonly classes: number;
}

/** A run when all its arms are done. */
export interface RunEvidence {
  /** What was said of each device that failed. */
  readonly deviceFailures: readonly string[];
}
