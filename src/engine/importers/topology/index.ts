import type { InputContract } from "../../../shared/contract.ts";
import { checkKernels } from "./bounds.ts";
import { toChannelsLast } from "./channelsLast.ts";
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
 * @param where size: of the images of a network of any size, where the contract says none; isChannelsLast: images of a file with their
 * channels first are to be turned
 * @throws MODEL_INVALID naming the layer
 */
export function normalise(
  json: Config,
  stored: readonly NamedShape[],
  contract: InputContract,
  where: { readonly file: string; readonly size: readonly [number, number] | undefined; readonly isChannelsLast?: boolean },
): Normalised {
  const { file } = where;
  const { topology: read, notes } = readTopology(json, file);
  checkTopology(read, file);
  const asSaved = flatten(read);
  checkKernels(asSaved, stored, file);
  const flat = where.isChannelsLast ? toChannelsLast(asSaved, file) : asSaved;
  const fitted = fitInput(flat, flat === asSaved ? contract : withoutLayout(contract), where);
  const { topology, ending } = withoutSoftmax(fitted.topology);
  return { whole: fitted.topology, topology, ending, contract: fitted.contract, notes: [...notes, ...fitted.notes] };
}

/** Of a network whose images were turned: they lie as everywhere now. */
function withoutLayout({ input: { layout: _, ...input }, ...contract }: InputContract): InputContract {
  return { ...contract, input };
}
