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
  /** P of McNemar's exact test against the best candidate; null for the best itself. */
  readonly p: number | null;
  /** Predicts the same class as the best for every image: these images cannot tell the two apart. */
  readonly sameAsBest: boolean;
}

/** What is known without a label. */
export interface ProbeEvidence {
  readonly strength: "certain" | "strong";
  readonly text: string;
}

/** What labels have to be read as: as they are, one further on (a background class first), one back (counted from 1), or in another order. */
export type LabelReading = "identity" | "plusOne" | "minusOne" | "textOrder";

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
  if (decided && best) return `The model takes ${best}: ${first?.hits} of ${n} images are right, and every other range does worse.${more}`;
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
