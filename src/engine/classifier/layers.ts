import type { InputContract } from "../../shared/contract.ts";
import type { TrainingPlan } from "../define/index.ts";
import { type Logits, tf, type tfl } from "../tf.ts";
import { unvolumize, volumize } from "../volumizer/volumize.ts";
import type { FeatureSource } from "./classifier.ts";
import { endsOf, evaluateGraph, layerOutputs } from "./graph.ts";
import { networkInput } from "./input.ts";

interface SourceOptions {
  readonly network: tfl.LayersModel;
  readonly contract: InputContract;
  readonly plan: TrainingPlan | undefined;
  /** Network output → logits [b,k]. */
  readonly logitsOf: (output: tf.Tensor) => Logits;
  /** Counts a forward pass over so many images. */
  readonly count: (images: number) => void;
}

/**
 * Layers whose output has a grid of at least 2×2 cells, in network order; the input is none. Of a volumized network: in each of the
 * slices, so that layers which only rearrange slices for the next one are none either.
 */
function spatialLayers(
  network: tfl.LayersModel,
  isVolumized: boolean,
  channelsFirst: boolean,
): { name: string; output: tfl.SymbolicTensor }[] {
  const depth = endsOf(network).input.shape[1];
  const found: { name: string; output: tfl.SymbolicTensor }[] = [];
  for (const [name, output] of layerOutputs(network)) {
    if (output.sourceLayer.getClassName() === "InputLayer" || output.rank !== (isVolumized ? 5 : 4)) continue;
    if (isVolumized && output.shape[1] !== depth) continue;
    const [h, w] = channelsFirst ? output.shape.slice(2) : output.shape.slice(-3, -1);
    if ((h ?? 0) >= 2 && (w ?? 0) >= 2) found.push({ name, output });
  }
  return found;
}

/**
 * Features of every layer with spatial extent. For a volumized network the Z slices of an image follow one another along the first
 * axis. @returns undefined where no layer has such an output.
 */
export function featureSourceOf(o: SourceOptions): FeatureSource | undefined {
  const channelsFirst = o.contract.input.layout === "nchw" && !o.plan?.volumizer;
  const layers = spatialLayers(o.network, o.plan?.volumizer !== undefined, channelsFirst);
  const last = layers.at(-1);
  if (!last) return undefined;
  const { input, output } = endsOf(o.network);
  const symbolic = (layer: string): tfl.SymbolicTensor => {
    const found = layers.find((l) => l.name === layer);
    if (!found) throw new Error(`Layer ${layer} has no spatial extent.`);
    return found.output;
  };
  const volumizer = o.plan?.volumizer;
  return {
    layers: layers.map((l) => l.name),
    defaultLayer: last.name,
    features: (x, layer) => {
      o.count(x.shape[0]);
      return tf.tidy(() => {
        const value = evaluateGraph(symbolic(layer), new Map([[input.id, networkInput(x, o.contract, o.plan)]]));
        return flattenSlices(channelsFirst ? tf.transpose(value, [0, 2, 3, 1]) : value);
      });
    },
    head: (features, x, layer) =>
      tf.tidy(() => {
        const start = symbolic(layer);
        const [n, h, w, channels] = features.shape;
        const whole = start.rank === 5 ? tf.reshape(features, [x.shape[0], n / x.shape[0], h, w, channels]) : features;
        const value = channelsFirst ? tf.transpose(whole, [0, 3, 1, 2]) : whole;
        // The input stays known, for networks with a path around the layer.
        const values = new Map([
          [start.id, value as tf.Tensor],
          [input.id, networkInput(x, o.contract, o.plan)],
        ]);
        return o.logitsOf(evaluateGraph(output, values));
      }),
    toImage: (map, x) =>
      tf.tidy(() => {
        const [, height, width] = x.shape;
        const cells = tf.expandDims(map, 3) as tf.Tensor4D;
        const b = x.shape[0];
        if (!volumizer) return resize(cells, height, width);
        const { volume, perms } = volumize(x, volumizer);
        const [, depth, patchHeight, patchWidth] = volume.shape;
        const slices = tf.reshape(resize(cells, patchHeight, patchWidth), [b, depth, patchHeight, patchWidth, 1]) as tf.Tensor5D;
        return tf.reshape(unvolumize(slices, perms, height, width), [b, height, width]) as tf.Tensor3D;
      }),
  };
}

/** Bilinear with half-pixel centres, [n,h,w,1] → [n,H,W]. */
const resize = (cells: tf.Tensor4D, height: number, width: number): tf.Tensor3D =>
  tf.reshape(tf.image.resizeBilinear(cells, [height, width], false, true), [cells.shape[0], height, width]);

function flattenSlices(value: tf.Tensor): tf.Tensor4D {
  if (value.rank === 4) return value as tf.Tensor4D;
  const [b = 1, depth = 1, h = 1, w = 1, channels = 1] = value.shape;
  return tf.reshape(value, [b * depth, h, w, channels]);
}
