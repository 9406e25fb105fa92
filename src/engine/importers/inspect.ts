import type { InputContract } from "../../shared/contract.ts";
import type { ModelInspection } from "../../shared/protocol.ts";
import type { tfl } from "../tf.ts";
import { loadNetwork, shapeOf } from "./index.ts";

/** What a model file holds: shapes (null = any size), classes, parameters, layers. Errors as `loadNetwork`. */
export async function inspectNetwork(path: string, contract?: InputContract): Promise<ModelInspection> {
  const { network, format, warnings, notes } = await loadNetwork(path, contract);
  try {
    return {
      format,
      inputShape: shapeOf(network.inputs[0]),
      classes: shapeOf(network.outputs[0]).at(-1) ?? 0,
      parameters: network.countParams(),
      layers: network.layers.map((layer) => ({ name: layer.name, type: layer.getClassName(), outputShape: outputShape(layer) })),
      warnings: [...warnings, ...notes],
    };
  } finally {
    network.dispose();
  }
}

/** Of the first output where a layer has several. */
function outputShape(layer: tfl.layers.Layer): (number | null)[] {
  const shape = layer.outputShape;
  const [first] = shape;
  return Array.isArray(first) ? first : (shape as (number | null)[]);
}
