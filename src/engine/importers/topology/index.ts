import type { InputContract } from "../../../shared/contract.ts";
import type { ForwardOnly } from "../../classifier/forwardOnly.ts";
import { checkKernels } from "./bounds.ts";
import { toChannelsLast } from "./channelsLast.ts";
import { checkTopology } from "./check.ts";
import { checkLayers } from "./depth.ts";
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
  /** Why the network gives scores only; absent for layers that can be differentiated. */
  readonly forwardOnly?: ForwardOnly;
  /** In force for the network as it is now. */
  readonly contract: InputContract;
  readonly notes: readonly string[];
}

/**
 * A model's JSON in any dialect as a network that tfjs can build: checked, flat, taking images, giving scores. Nothing is built yet, so
 * that a damaged file costs nothing.
 * @param where size: image size for a network that takes any, if the contract gives none; isChannelsLast: convert channels first to last
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
  checkLayers(read, file);
  checkTopology(read, file);
  const asSaved = flatten(read);
  checkKernels(asSaved, stored, file);
  const flat = where.isChannelsLast ? toChannelsLast(asSaved, file) : asSaved;
  const fitted = fittedScores(flat, flat === asSaved ? contract : withoutLayout(contract), where);
  return { ...fitted, notes: [...notes, ...fitted.notes] };
}

/** Makes a flat topology take images and give scores. @throws MODEL_INVALID */
export function fittedScores(flat: Topology, given: InputContract, where: Parameters<typeof fitInput>[2]): Normalised {
  checkLayers(flat, where.file);
  const { topology: whole, contract, notes } = fitInput(flat, given, where);
  return { whole, ...withoutSoftmax(whole), contract, notes };
}

/** The contract without the layout, for a network that now takes [B,H,W,C]. */
export function withoutLayout({ input: { layout: _, ...input }, ...contract }: InputContract): InputContract {
  return { ...contract, input };
}
