import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { number } from "../../shared/format.ts";
import { defineTrainingDefense, num } from "../define/index.ts";
import { BoundedRelu } from "../models/layers/index.ts";
import { type Replacement, withLayers } from "../models/rebuild.ts";
import type { tfl } from "../tf.ts";
import { afterNetwork } from "../training/plan.ts";

const rectifiers = ["relu", "relu6"];

/**
 * Every ReLU is cut off above: a small change of a pixel cannot add up to a large one layer after layer. It changes the network alone, so
 * that it stands over any other training defence, volumized networks included. The Gaussian noise of the original is no part of it.
 */
export const boundedRelu = defineTrainingDefense({
  id: "boundedRelu",
  title: "Bounded ReLU",
  paper: "Zantedeschi et al. 2017",
  params: Type.Object({ bound: num(1, "Largest value that a rectifier passes on.", { min: 1e-6 }) }),
  label: ({ bound }) => `Bounded ReLU ${number(bound)}`,
  plan: (base, { bound }) => ({ ...base, network: afterNetwork(base, (network) => bounded(network, bound)) }),
});

/** @throws MODEL_INVALID for a network without a ReLU */
function bounded(network: tfl.LayersModel, bound: number): tfl.LayersModel {
  let count = 0;
  const replaced = withLayers(network, `${network.name}_bounded`, (layer, names): Replacement | undefined => {
    const { activation } = layer.getConfig();
    const type = layer.getClassName();
    const isRectifier = typeof activation === "string" && rectifiers.includes(activation);
    if (type !== "ReLU" && !isRectifier) return undefined;
    count++;
    if (type === "ReLU" || type === "Activation") return { instead: new BoundedRelu({ bound, name: names.unused(layer.name) }) };
    return { config: { activation: "linear" }, followedBy: [new BoundedRelu({ bound, name: names.unused(`${layer.name}_bounded`) })] };
  });
  if (count > 0) return replaced;
  replaced.dispose();
  throw new BulwarkError(
    "MODEL_INVALID",
    `${network.name} has no ReLU, so boundedRelu would change nothing.`,
    "Use a network with ReLUs, or remove the defence.",
  );
}
