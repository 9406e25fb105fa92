import type { InputContract } from "../../shared/contract.ts";
import type { tfl } from "../tf.ts";
import type { InputEvidence } from "./evidence/evidence.ts";
import type { Topology } from "./topology/graph.ts";
import type { Normalised } from "./topology/index.ts";

/** An open model file. Its network becomes a topology, whatever the format. */
export interface ModelFile {
  /** "tfjs-layers", "onnx" or "keras". */
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
  build(topology: Topology): Promise<tfl.LayersModel>;
  /** Compares the scores of the network with those of another program that runs the file. @returns notes for the user */
  check?(network: tfl.LayersModel, o: Pick<Normalised, "contract" | "ending">): Promise<readonly string[]>;
  /** Closes the file and what was opened with it. */
  close(): void | Promise<void>;
}
