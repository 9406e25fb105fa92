import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { defineTrainingDefense } from "../define/index.ts";
import { scoreLayer, withCompactLayers } from "../models/compact.ts";
import type { tfl } from "../tf.ts";
import { afterNetwork } from "../training/plan.ts";
import { compactFields } from "./compactConvolution.ts";

/**
 * The features before the scores are scaled to length α, which is learned: z = W(α·x/‖x‖) + b. It is the compact form of the last dense layer and
 * of no other, and part of compactConvolution.
 */
export const l2Softmax = defineTrainingDefense({
  id: "l2Softmax",
  title: "L2-softmax",
  paper: "Ranjan, Castillo & Chellappa 2017",
  params: Type.Object(compactFields),
  plan: (base, p) => ({ ...base, network: afterNetwork(base, (network) => scaled(network, p)) }),
});

/** @throws MODEL_INVALID for a network that does not end in a plain dense layer */
function scaled(network: tfl.LayersModel, p: { readonly alpha: number; readonly delta: number }): tfl.LayersModel {
  const last = scoreLayer(network);
  if (last?.getClassName() === "Dense") return withCompactLayers(network, { ...p, picks: (layer) => layer === last }).network;
  const ending = last ? `its scores come from "${last.name}" (${last.getClassName()})` : "its scores come from several layers";
  throw new BulwarkError(
    "MODEL_INVALID",
    `l2Softmax changes the dense layer that the scores of ${network.name} come from, but ${ending}.`,
    last?.getClassName() === "CompactDense"
      ? "Remove l2Softmax: that layer is compact already."
      : "Use a network that ends in a dense layer, or remove the defence.",
  );
}
