import type { InputContract, KnownFrom } from "../../../shared/contract.ts";

/** What something beside the contract says about how a model takes its images. */
export interface InputEvidence {
  readonly source: KnownFrom;
  /** Fields of the contract that follow from it, range first of all. */
  readonly input: InputContract["input"];
  /** Classes that it names. */
  readonly classes?: readonly string[];
}

/** Names of a model's classes in the order of its outputs. */
export interface ClassList {
  readonly names: readonly string[];
  /** WordNet ids of the same classes, where they are known. */
  readonly synsets: readonly string[] | null;
  readonly source: KnownFrom;
}

export const numbersIn = (value: unknown): number[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "number" && Number.isFinite(item)) ? value : undefined;

export const wordsIn = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string") ? value : undefined;
