import type { InputContract } from "../../shared/contract.ts";
import type { tfl } from "../tf.ts";
import type { InputEvidence } from "./evidence/evidence.ts";
import type { Topology } from "./topology/graph.ts";
import type { Normalised } from "./topology/index.ts";

/** A model file of some format, open. What it holds becomes one topology, whatever the format. */
export interface ModelFile {
  /** "tfjs-layers", "onnx" or "keras". */
  readonly format: string;
  /** What a trainer or converter left in it. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** Of the file and its weights, hexadecimal. */
  sha256(): Promise<string>;
  /**
   * The network as a topology, taking images as the contract says.
   * @param size of the images of a network of any size, where the contract says none
   */
  normalise(contract: InputContract, size: readonly [number, number] | undefined): Normalised;
  /** What it says of its input, such as that it takes bytes; once it is normalised. */
  evidence?(): InputEvidence | undefined;
  /** The network of a topology that came from it, with the file's weights. The caller disposes. */
  build(topology: Topology): Promise<tfl.LayersModel>;
  /** Compares what the network computes with what the file computes, where another program can say that. @returns notes for the user */
  check?(network: tfl.LayersModel, o: Pick<Normalised, "contract" | "ending">): Promise<readonly string[]>;
  /** Ends what was opened for it; nothing is read after that. */
  close(): void | Promise<void>;
}
