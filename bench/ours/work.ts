import type { Chosen } from "../../src/shared/experiment.ts";

/** What the catalogue of rows says of one; see rows.mjs. */
export interface Row {
  readonly group: string;
  readonly net: string;
  readonly task: string;
  readonly optimizer: "adam" | "sgd";
  readonly attack: "fgsm" | "pgd";
  readonly kind: "digits" | "thumbnails" | "photographs";
  /** A later epoch over the same folder, whose pictures have been decoded before. */
  readonly isLater?: boolean;
  /** A defence in front, as an experiment file has it. */
  readonly defense: Chosen;
  readonly batch: number;
  /** Images of one optimiser step, where a batch is fed in several. */
  readonly micro?: number;
  readonly side?: number;
  readonly steps: number;
  readonly images: number;
  readonly population: number;
  readonly generations: number;
  /** Of the repository. */
  readonly root: string;
  /** A MobileNetV2 as tfjs saves it; "" for none. */
  readonly mobilenet: string;
}

/** Work that is measured: each call does all of it and ends in a read. */
export interface Work {
  run(): void | Promise<void>;
  /** What the other side has to know, such as a folder of files. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A row that cannot be measured here, and why. */
export class Missing extends Error {}
