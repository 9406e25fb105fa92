import type { InputContract } from "./contract.ts";
import type { Finding } from "./results.ts";

/** What the contract probe tried: one way to feed a model, and how well it does on labelled images. */
export interface ProbeCandidate {
  /** Such as "signed rgb". */
  readonly id: string;
  readonly input: InputContract["input"];
  /** "0…1", "−1…1" … */
  readonly range: string;
  /** Of n images, those classified correctly. */
  readonly hits: number;
  readonly n: number;
  /** 99 % Wilson interval of hits out of n. */
  readonly interval: readonly [number, number];
  /** Mean over the images of the natural logarithm of the true class's probability. */
  readonly meanLogP: number;
  /** The same once scores are divided by a temperature that other images were used to fit: how sure the model is no longer counts. */
  readonly calibratedLogP: number;
  /** That temperature, fitted on all images; 1 where the model is as sure as it is right. */
  readonly temperature: number;
  /** How far activations are from what the first batch normalisation stores (0 = the same); null where the network has none. */
  readonly batchNormDistance: number | null;
  /** P against the best candidate (the guide says of which tests); null for the best itself. */
  readonly p: number | null;
  /** How it stands against the best: beaten, contradicted by the batch normalisation, near it and seldom used, or open. */
  readonly standing: "best" | "beaten" | "contradicted" | "near" | "open";
  /** Predicts the same class as the best for every image: these images cannot tell the two apart. */
  readonly sameAsBest: boolean;
}

/** What is known without a label. */
export interface ProbeEvidence {
  readonly strength: "certain" | "strong";
  readonly text: string;
}

/**
 * What labels have to be read as: as they are, one further on (a background class first), one back (counted from 1), numbers in the order of
 * their text and the reverse, in the alphabetical order of the class names, or in an order that half of the images show.
 */
export type LabelReading = "identity" | "plusOne" | "minusOne" | "textOrder" | "numberOrder" | "alphabet" | "assigned";

export interface ContractProbe {
  readonly model: string;
  /** `kind:path`. */
  readonly dataset: string;
  readonly split: string;
  /** Labelled images that were classified. */
  readonly n: number;
  /** Share of the most frequent class. */
  readonly chance: number;
  /** One candidate is better than all others that these images can tell from it. */
  readonly decided: boolean;
  /** What would be written; null where nothing was decided. */
  readonly contract: InputContract | null;
  /** The best candidate and its range in words; null where none could be scored. */
  readonly best: string | null;
  /** Best first. */
  readonly candidates: readonly ProbeCandidate[];
  readonly labels: LabelReading;
  /** What was decided about the data when they were opened, such as labels that go by position. */
  readonly notes: readonly string[];
  readonly evidence: readonly ProbeEvidence[];
  /** Why nothing, or not everything, was decided. */
  readonly cannotTell: readonly string[];
  readonly findings: readonly Finding[];
  /** The contract file that was written; null where none was. */
  readonly written: string | null;
}

/** What was found, in one or two sentences. */
export function probeSummary({ decided, best, candidates, n, cannotTell, findings }: ContractProbe): string {
  const [first] = candidates;
  const [finding] = findings.filter(({ rule }) => rule === "RB101" || rule === "RB108");
  const more = finding ? ` ${finding.message}` : "";
  if (decided && best) return `The model takes ${best}: ${first?.hits} of ${n} images are right.${more}`;
  return `Cannot tell how the model takes its images. ${cannotTell[0] ?? ""}${more}`.trim();
}

/** What is to be written of a probe. */
export type FoundContract = Pick<ContractProbe, "model" | "contract">;

export interface ProbeParams {
  readonly model: string;
  /** `kind` or `kind:path`. */
  readonly dataset: string;
  readonly split: "train" | "test";
  readonly limit: number;
  readonly seed: number;
  /** Where data sets are looked for. */
  readonly workspace: string;
}
export interface ProbeUpdate {
  readonly done: number;
  readonly total: number;
}
