import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { suggestion } from "../../shared/nearest.ts";
import { defineTrainingDefense, num, text } from "../define/index.ts";
import { canBeCompact, withCompactLayers } from "../models/compact.ts";
import type { tfl } from "../tf.ts";
import { afterNetwork } from "../training/plan.ts";

/** What the defences with compact layers have in common. */
export const compactFields = {
  alpha: num(0, "What α of each layer begins with; 0 takes √fan_in, with which inputs of equal size keep their scale.", {
    min: 0,
    standIn: { words: "√fan_in", first: 1 },
  }),
  delta: num(0.01, "Added to the norm of a patch.", { min: 0, advanced: true }),
};

/**
 * Convolutions and dense layers whose products are divided by the norm of what they see: y = α·Wᵀx/(‖x‖ + δ) + b, α learned, one for each layer. A
 * perturbation of all pixels then moves an output by about √n instead of n. It changes the network alone, so that it stands over any other training
 * defence, labelSmoothing (CCN+LS of the paper) and volumized networks included.
 */
export const compactConvolution = defineTrainingDefense({
  id: "compactConvolution",
  title: "Compact convolution",
  paper: "Ranjan et al. 2017",
  params: Type.Object({
    layers: text("", 'Names of the layers that become compact, such as "conv1, fc1"; all convolutions and dense layers when left out.'),
    ...compactFields,
  }),
  label: ({ layers }) => (layers === "" ? "Compact convolution" : `Compact convolution in ${namesIn(layers).join(", ")}`),
  plan: (base, p) => ({ ...base, network: afterNetwork(base, (network, note) => compacted(network, p, note)) }),
});

const namesIn = (layers: string): string[] => layers.split(",").flatMap((name) => name.trim() || []);

interface Choice {
  readonly layers: string;
  readonly alpha: number;
  readonly delta: number;
}

/** @throws MODEL_INVALID for a network without such layers, PARAMETER_INVALID for a layer that it does not have or that cannot be compact */
function compacted(network: tfl.LayersModel, { layers, alpha, delta }: Choice, note: (text: string) => void): tfl.LayersModel {
  const wanted = namesIn(layers);
  const able = new Set<string>();
  const {
    network: result,
    changed,
    left,
  } = withCompactLayers(network, {
    picks(layer) {
      able.add(layer.name);
      return wanted.length === 0 || wanted.includes(layer.name);
    },
    alpha,
    delta,
  });
  const missing = wanted.find((name) => !able.has(name));
  if (missing === undefined && changed.length > 0) {
    if (wanted.length === 0 && left.length > 0)
      note(`compactConvolution leaves ${left.join(", ")} as they are: such layers have no compact form.`);
    return result;
  }
  result.dispose();
  if (missing !== undefined) throw unknownLayer(network, missing, [...able]);
  throw new BulwarkError(
    "MODEL_INVALID",
    `${network.name} has no convolution or dense layer that could be compact, so compactConvolution would change nothing.`,
    "Use a network with such layers, or remove the defence.",
  );
}

function unknownLayer(network: tfl.LayersModel, name: string, able: readonly string[]): BulwarkError {
  const found = network.layers.find((layer) => layer.name === name);
  const why = found && !canBeCompact(found) ? `is a ${found.getClassName()}, which has no compact form` : "does not exist in the network";
  return new BulwarkError("PARAMETER_INVALID", `compactConvolution: layer "${name}" ${why}.`, suggestion(name, able, "It has"));
}
