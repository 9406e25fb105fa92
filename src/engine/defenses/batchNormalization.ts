import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { defineTrainingDefense, num } from "../define/index.ts";
import { scoreLayer } from "../models/compact.ts";
import { type Replacement, withLayers } from "../models/rebuild.ts";
import { tfl } from "../tf.ts";
import { afterNetwork } from "../training/plan.ts";

/**
 * Batch normalisation between every convolution or hidden dense layer and its activation. Attacks see it with its running averages. What is followed
 * by a normalisation already stays as it is.
 */
export const batchNormalization = defineTrainingDefense({
  id: "batchNormalization",
  title: "Batch normalization",
  paper: "Ioffe & Szegedy 2015",
  params: Type.Object({
    momentum: num(0.9, "Share of a running average that a batch leaves as it is.", { min: 0, max: 1, unit: "of 1" }),
    epsilon: num(1e-3, "Added to the variance.", { min: 1e-9, advanced: true }),
  }),
  plan: (base, p) => ({ ...base, network: afterNetwork(base, (network) => normalized(network, p)) }),
});

const weighing = /^(Compact|Grouped|Depthwise|Separable)?Conv[23]D(Transpose)?$|^(Compact)?Dense$/;

/** @throws MODEL_INVALID for a network in which nothing is left to be normalised */
function normalized(network: tfl.LayersModel, p: { readonly momentum: number; readonly epsilon: number }): tfl.LayersModel {
  const last = scoreLayer(network);
  let count = 0;
  const replaced = withLayers(network, `${network.name}_bn`, (layer, names): Replacement | undefined => {
    if (!weighing.test(layer.getClassName()) || layer === last || isNormalised(layer)) return undefined;
    count++;
    const { activation } = layer.getConfig();
    const norm = tfl.layers.batchNormalization({ name: names.unused(`${layer.name}_norm`), ...p });
    if (typeof activation !== "string" || activation === "linear") return { followedBy: [norm] };
    const after = { name: names.unused(`${layer.name}_${activation}`), activation: activation as "relu" };
    return { config: { activation: "linear" }, followedBy: [norm, tfl.layers.activation(after)] };
  });
  if (count > 0) return replaced;
  replaced.dispose();
  throw new BulwarkError(
    "MODEL_INVALID",
    `${network.name} has no convolution or hidden dense layer without batch normalisation, so batchNormalization would change nothing.`,
    "Use another network, or remove the defence.",
  );
}

const isNormalised = (layer: tfl.layers.Layer): boolean =>
  layer.outboundNodes.some(({ outboundLayer }) => outboundLayer.getClassName() === "BatchNormalization");
