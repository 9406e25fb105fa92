import { BulwarkError } from "../../shared/errors.ts";
import { reachNote } from "../../shared/slices.ts";
import type { SliceFacts, VolumizerOptions } from "../define/index.ts";
import { reachOf } from "../models/conversion/reach.ts";
import { type Images, tf, type tfl } from "../tf.ts";
import { volumize } from "../volumizer/volumize.ts";
import type { Classifier, SliceSource } from "./classifier.ts";

/**
 * The slices of a network that judges each of them.
 * @param volumizer how they are cut and ordered
 * @param outputOf images → scores [b,Z,k] of the network, counted
 * @param offset outputs before that of class 0
 * @throws MODEL_INVALID for a network of another number of slices
 */
export function sliceSourceOf(
  network: tfl.LayersModel,
  facts: SliceFacts,
  volumizer: VolumizerOptions,
  outputOf: (x: Images) => tf.Tensor,
  offset: number,
): SliceSource {
  const shape = network.inputs[0]?.shape ?? [];
  if (shape.length !== 5 || shape[1] !== facts.count) {
    throw new BulwarkError(
      "MODEL_INVALID",
      `The network takes [${shape.slice(1).join(", ")}], and its defence makes ${facts.count} slices of an image.`,
      "Use the contract that was saved with the network.",
    );
  }
  return {
    ...facts,
    reach: reachIn(network, facts),
    logits: (x) => tf.tidy(() => outputOf(x).slice([0, 0, offset]) as tf.Tensor3D),
    order(x) {
      const { volume, perms } = volumize(x, volumizer);
      volume.dispose();
      return perms;
    },
  };
}

/** `SliceSource.reach` of a network that `facts` hold for. */
export const reachIn = (network: tfl.LayersModel, { orderMatters, count }: SliceFacts): number => (orderMatters ? count : reachOf(network));

/** What the slices of a model's network make necessary to say, none or one sentence. */
export function sliceNotes({ slices, bare }: Classifier): string[] {
  const source = bare?.slices ?? slices;
  const note = source && reachNote(source);
  return note ? [note] : [];
}
