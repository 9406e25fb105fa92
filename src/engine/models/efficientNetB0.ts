import { Type } from "@sinclair/typebox";
import { defineModel, num } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { batchNorm, centered, chain, convNorm, headParam, narrowed, scores, widthParam } from "./blocks.ts";
import { type LayerInitializers, layerInitializers } from "./initialize.ts";

/** Stages 2 to 8: number of blocks, kernel, stride of the first, expansion, channels in and out. */
const stages = [
  { blocks: 1, kernelSize: 3, strides: 1, expand: 1, input: 32, output: 16 },
  { blocks: 2, kernelSize: 3, strides: 2, expand: 6, input: 16, output: 24 },
  { blocks: 2, kernelSize: 5, strides: 2, expand: 6, input: 24, output: 40 },
  { blocks: 3, kernelSize: 3, strides: 2, expand: 6, input: 40, output: 80 },
  { blocks: 3, kernelSize: 5, strides: 1, expand: 6, input: 80, output: 112 },
  { blocks: 4, kernelSize: 5, strides: 2, expand: 6, input: 112, output: 192 },
  { blocks: 1, kernelSize: 3, strides: 1, expand: 6, input: 192, output: 320 },
] as const;
const stem = 32;
const top = 1280;

interface Block {
  readonly name: string;
  readonly input: number;
  readonly output: number;
  readonly expand: number;
  readonly kernelSize: number;
  readonly strides: number;
  /** Share of the images for which the block is left out in training. */
  readonly dropout: number;
  readonly seed: number;
}

/**
 * Blocks that widen, convolve each channel by itself, weigh the channels and narrow again. 5,330,564 parameters at 224×224×3 and
 * 1000 classes; Keras Applications has 7 more, the mean and variance of its input layer's three channels and their count.
 * Source: Tan & Le 2019, Table 1.
 */
export const efficientNetB0 = defineModel({
  id: "efficientNetB0",
  title: "EfficientNet-B0",
  paper: "Tan & Le 2019",
  inputShape: [224, 224, 3],
  params: Type.Object({
    width: widthParam(),
    head: headParam(),
    dropout: num(0.2, "Dropout rate of the last features; also the largest stochastic-depth rate of a block.", {
      min: 0,
      max: 0.95,
      unit: "of 1",
    }),
  }),
  build: ({ width, head, dropout }, { inputShape, classes, ...start }) => {
    const initial = layerInitializers(start);
    const channels = (n: number): number => narrowed(n, width);
    const image = tfl.input({ name: "image", shape: [...inputShape] });
    let x = convNorm(chain(image, centered()), initial, {
      name: "stem",
      filters: channels(stem),
      kernelSize: 3,
      strides: 2,
      activation: "swish",
    });
    const total = stages.reduce((n, { blocks }) => n + blocks, 0);
    let count = 0;
    stages.forEach((stage, at) => {
      for (let i = 0; i < stage.blocks; i++) {
        const isFirst = i === 0;
        x = invertedBottleneck(x, initial, {
          name: `block${at + 1}${"abcd".charAt(i)}`,
          input: channels(isFirst ? stage.input : stage.output),
          output: channels(stage.output),
          expand: stage.expand,
          kernelSize: stage.kernelSize,
          strides: isFirst ? stage.strides : 1,
          dropout: (dropout * count) / total,
          seed: start.seed + count,
        });
        count++;
      }
    });
    x = convNorm(x, initial, { name: "top", filters: channels(top), kernelSize: 1, activation: "swish" });
    return tfl.model({ name: "efficientNetB0", inputs: image, outputs: scores(x, initial, { classes, head, seed: start.seed, dropout }) });
  },
});

function invertedBottleneck(image: tfl.SymbolicTensor, initial: LayerInitializers, o: Block): tfl.SymbolicTensor {
  const wide = o.input * o.expand;
  let x = image;
  if (o.expand !== 1) x = convNorm(x, initial, { name: `${o.name}_expand`, filters: wide, kernelSize: 1, activation: "swish" });
  x = chain(
    x,
    tfl.layers.depthwiseConv2d({
      name: `${o.name}_depthwise`,
      kernelSize: o.kernelSize,
      strides: o.strides,
      padding: "same",
      useBias: false,
      depthwiseInitializer: initial.depthwise(),
    }),
    batchNorm(`${o.name}_depthwise_norm`),
    tfl.layers.activation({ name: `${o.name}_depthwise_swish`, activation: "swish" }),
  );
  x = chain([x, gate(x, initial, o, wide)], tfl.layers.multiply({ name: `${o.name}_weighed` }));
  x = convNorm(x, initial, { name: `${o.name}_project`, filters: o.output, kernelSize: 1 });
  if (o.strides !== 1 || o.input !== o.output) return x;
  const noiseShape = [null as never, 1, 1, 1]; // a whole image at a time; null is the batch, which tfjs' types leave out
  if (o.dropout > 0) x = chain(x, tfl.layers.dropout({ name: `${o.name}_drop`, rate: o.dropout, noiseShape, seed: o.seed }));
  return chain([x, image], tfl.layers.add({ name: `${o.name}_add` }));
}

/** A weight between 0 and 1 for every channel, from the means of all ("squeeze and excitation"). */
function gate(x: tfl.SymbolicTensor, initial: LayerInitializers, { name, input }: Block, wide: number): tfl.SymbolicTensor {
  const conv = (part: string, filters: number, activation: "swish" | "sigmoid") =>
    tfl.layers.conv2d({ name: `${name}_${part}`, filters, kernelSize: 1, activation, kernelInitializer: initial.he() });
  return chain(
    x,
    tfl.layers.globalAveragePooling2d({ name: `${name}_squeeze` }),
    tfl.layers.reshape({ name: `${name}_squeezed`, targetShape: [1, 1, wide] }),
    conv("reduce", Math.max(1, Math.floor(input / 4)), "swish"),
    conv("excite", wide, "sigmoid"),
  );
}
