import { Type } from "@sinclair/typebox";
import { defineModel, type ModelSpec, num } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { chain, requireSize } from "./blocks.ts";
import { type LayerInitializers, layerInitializers } from "./initialize.ts";

/** What the three networks are put together of; `layers` of one network have names of their own. */
interface Parts {
  conv(name: string, filters: number, padding: "same" | "valid"): tfl.layers.Layer;
  pool(name: string): tfl.layers.Layer;
  dropout(name: string): tfl.layers.Layer;
  /** @param l2 weight of the sum of squares of kernel and bias in the loss of a training; none when left out */
  dense(name: string, units: number, l2?: number): tfl.layers.Layer;
}

function partsOf(initial: LayerInitializers, o: { readonly dropout: number; readonly seed: number }): Parts {
  let dropouts = 0;
  return {
    conv: (name, filters, padding) =>
      tfl.layers.conv2d({ name, filters, kernelSize: 3, padding, activation: "relu", kernelInitializer: initial.he() }),
    pool: (name) => tfl.layers.maxPooling2d({ name, poolSize: 2, strides: 2 }),
    dropout: (name) => tfl.layers.dropout({ name, rate: o.dropout, seed: o.seed + dropouts++ }),
    dense: (name, units, l2) =>
      tfl.layers.dense({
        name,
        units,
        activation: "relu",
        kernelInitializer: initial.he(),
        ...(l2 === undefined ? {} : { kernelRegularizer: tfl.regularizers.l2({ l2 }), biasRegularizer: tfl.regularizers.l2({ l2 }) }),
      }),
  };
}

interface Feinman {
  readonly id: string;
  readonly data: string;
  readonly inputShape: readonly [number, number, number];
  /** Side of the smallest image that the pools leave a pixel of. */
  readonly smallest: number;
  /** All between the image and the scores. */
  layers(parts: Parts): readonly tfl.layers.Layer[];
}

/**
 * A network of the study of detectors by Feinman et al. 2017 (`get_model` of its code), which paper 3 repeats. It sees pixels in [0,1] and
 * ends in logits. Weights start from He's deviation, where the code has Glorot's.
 * @throws BulwarkError IMAGE_SIZE for images that are too small
 */
const defineFeinman = ({ id, data, inputShape, smallest, layers }: Feinman): ModelSpec =>
  defineModel({
    id,
    title: `Feinman ${data} net`,
    paper: "Feinman et al. 2017; Sheikholeslami et al. 2019",
    inputShape,
    params: Type.Object({
      dropout: num(0.5, "Dropout rate, at each place that has one.", { min: 0, max: 0.95, unit: "of 1" }),
    }),
    build: ({ dropout }, { inputShape: shape, classes, ...start }) => {
      requireSize(id, shape, smallest, "Choose another model, such as lenet.");
      const initial = layerInitializers(start);
      const image = tfl.input({ name: "image", shape: [...shape] });
      const x = chain(image, ...layers(partsOf(initial, { dropout, seed: start.seed })));
      const outputs = chain(x, tfl.layers.dense({ name: "logits", units: classes, kernelInitializer: initial.he() }));
      return tfl.model({ name: id, inputs: image, outputs });
    },
  });

const flatten = (): tfl.layers.Layer => tfl.layers.flatten({ name: "flatten" });
const twoConvolutions = ({ conv, pool, dropout }: Parts) => [
  conv("conv1", 64, "valid"),
  conv("conv2", 64, "valid"),
  pool("pool"),
  dropout("dropout1"),
  flatten(),
];

/** conv64 – conv64 – pool – dropout – FC128 – dropout – FC, 3×3 without padding: 1,218,634 parameters at 28×28×1. */
export const feinmanMnist = defineFeinman({
  id: "feinmanMnist",
  data: "MNIST",
  inputShape: [28, 28, 1],
  smallest: 6,
  layers: (parts) => [...twoConvolutions(parts), parts.dense("fc1", 128), parts.dropout("dropout2")],
});

/** The same with FC512 – dropout – FC128 – dropout behind the convolutions: 6,528,714 parameters at 32×32×3. */
export const feinmanSvhn = defineFeinman({
  id: "feinmanSvhn",
  data: "SVHN",
  inputShape: [32, 32, 3],
  smallest: 6,
  layers: (parts) => [
    ...twoConvolutions(parts),
    parts.dense("fc1", 512),
    parts.dropout("dropout2"),
    parts.dense("fc2", 128),
    parts.dropout("dropout3"),
  ],
});

/**
 * Two padded 3×3 convolutions and a pool, with 32, 64 and 128 filters, then FC1024 and FC512 with a dropout before and behind each, both
 * with an L2 penalty of .01 on kernel and bias: 2,915,114 parameters at 32×32×3.
 */
export const feinmanCifar = defineFeinman({
  id: "feinmanCifar",
  data: "CIFAR",
  inputShape: [32, 32, 3],
  smallest: 8,
  layers: ({ conv, pool, dense, dropout }) => [
    ...[32, 64, 128].flatMap((filters, i) => [
      conv(`conv${i + 1}_1`, filters, "same"),
      conv(`conv${i + 1}_2`, filters, "same"),
      pool(`pool${i + 1}`),
    ]),
    flatten(),
    dropout("dropout1"),
    dense("fc1", 1024, 0.01),
    dropout("dropout2"),
    dense("fc2", 512, 0.01),
    dropout("dropout3"),
  ],
});
