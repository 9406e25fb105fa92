import type { InputContract } from "../../shared/contract.ts";
import type { ModelCheckUpdate } from "../../shared/modelCheck.ts";
import type { tfl } from "../tf.ts";
import type { InputEvidence } from "./evidence/evidence.ts";
import type { Topology } from "./topology/graph.ts";
import type { Normalised } from "./topology/index.ts";

/** Called between steps of work. May throw to stop it. */
export type Watch = (update: ModelCheckUpdate) => void | Promise<void>;

/** What of a file's weights is read. */
export interface Reading {
  /** Whether the weights of layers of this class are read; those of others stay 0. All are read when left out. */
  wants?(className: string): boolean;
  readonly watch?: Watch | undefined;
}

/** The scores of a network beside those of another program that runs the file. */
export interface Comparison {
  /** The largest difference of a score, relative to the largest score of the image. Null where nothing could be compared. */
  readonly difference: number | null;
  /** For the user. */
  readonly notes: readonly string[];
}

/** What a comparison has to know of the network, weights or not. */
export interface Checked extends Pick<Normalised, "contract" | "ending"> {
  /** Height, width and channels of the images that it takes. */
  readonly sides: readonly [number, number, number];
  /** Of the fourth channel that it adds itself. */
  readonly alpha: number | undefined;
}
/** Compares a network with the scores that were asked for before. @throws MODEL_MISMATCH */
export type Compare = (network: tfl.LayersModel) => Promise<Comparison>;

/** An open model file. Its network becomes a topology, whatever the format. */
export interface ModelFile {
  /** "tfjs-layers", "tfjs-graph", "onnx" or "keras". */
  readonly format: string;
  /** What a trainer or converter left in it. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** SHA-256 of the file and its weights, in hexadecimal. */
  sha256(): Promise<string>;
  /**
   * The network as a topology that takes images as the contract describes.
   * @param size image size for a network that takes any, if the contract gives none
   */
  normalise(contract: InputContract, size: readonly [number, number] | undefined): Normalised;
  /** What the file says about its input, such as that it takes bytes. Call `normalise` first. */
  evidence?(): InputEvidence | undefined;
  /** Builds the network of a topology from `normalise` with the file's weights. The caller disposes. */
  build(topology: Topology, reading?: Reading): Promise<tfl.LayersModel>;
  /** Too large for its weights to be in memory twice: `check` comes before they are read. */
  readonly isLarge?: boolean;
  /** Has ONNX Runtime, which runs the file as it is, give scores to compare with. */
  check?(o: Checked, watch?: Watch): Promise<Compare>;
  /** Closes the file and what was opened with it. */
  close(): void | Promise<void>;
}
