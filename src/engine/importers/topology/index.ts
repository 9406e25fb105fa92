import type { InputContract } from "../../../shared/contract.ts";
import { checkKernels } from "./bounds.ts";
import { checkTopology } from "./check.ts";
import { type Ending, withoutSoftmax } from "./ending.ts";
import { flatten } from "./flatten.ts";
import type { Config, Topology } from "./graph.ts";
import { fitInput } from "./input.ts";
import { readTopology } from "./read.ts";
import type { NamedShape } from "./weights.ts";

export interface Normalised {
  /** Flat, as the file has it. */
  readonly whole: Topology;
  /** The same without its last softmax or sigmoid. */
  readonly topology: Topology;
  readonly ending: Ending;
  /** In force for the network as it is now. */
  readonly contract: InputContract;
  readonly notes: readonly string[];
}

/**
 * A model's JSON in any dialect as a network that tfjs can build: checked, flat, taking images, giving scores. Nothing is built yet, so
 * that a damaged file costs nothing.
 * @param where size: of the images of a network of any size, where the contract says none
 * @throws MODEL_INVALID naming the layer
 */
export function normalise(
  json: Config,
  stored: readonly NamedShape[],
  contract: InputContract,
  where: { readonly file: string; readonly size: readonly [number, number] | undefined },
): Normalised {
  const { file } = where;
  const { topology: read, notes } = readTopology(json, file);
  checkTopology(read, file);
  const flat = flatten(read);
  checkKernels(flat, stored, file);
  const fitted = fitInput(flat, contract, where);
  const { topology, ending } = withoutSoftmax(fitted.topology);
  return { whole: fitted.topology, topology, ending, contract: fitted.contract, notes: [...notes, ...fitted.notes] };
}
