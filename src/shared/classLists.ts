import type { KnownFrom } from "./contract.ts";

/** A list of class names that a model could take. */
export interface ClassListChoice {
  /** Null for ImageNet's 1000, which come with Bulwark. */
  readonly file: string | null;
  readonly count: number;
  /** The first few. */
  readonly sample: readonly string[];
}
export interface ClassLists {
  /** Scores that the model gives for an image. */
  readonly outputs: number;
  /** Where the names in force come from; null where the classes have none, or their list does not fit. */
  readonly now: KnownFrom | null;
  /** Those with as many names as there are classes. */
  readonly fitting: readonly ClassListChoice[];
  /** Lists that name another number of classes. */
  readonly others: readonly ClassListChoice[];
}

export interface ClassListsParams {
  readonly model: string;
  /** Files that may hold lists. */
  readonly files: readonly string[];
}
export interface WriteClassListParams {
  readonly model: string;
  /** Null for ImageNet's 1000. */
  readonly file: string | null;
}
export interface WrittenClassList {
  /** The contract that says the names now. */
  readonly contract: string;
  /** In class order. */
  readonly names: readonly string[];
}
