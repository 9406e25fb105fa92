import { Type } from "@sinclair/typebox";
import { defineModel, int } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { chain, narrowed, requireSize, widthParam } from "./blocks.ts";
import { heInitializers } from "./initialize.ts";

/** Filters of the convolutions before each pool: four pools, as the paper's table has them, and not the five of Simonyan & Zisserman. */
const blocks = [
  [64, 128],
  [256, 256],
  [512, 512],
  [512, 512],
] as const;
const smallest = 16;

/**
 * Eight 3×3 convolutions and three dense layers: 10,537,354 parameters at 32×32×3 and ten classes. Sees x − 0.5.
 * @throws BulwarkError IMAGE_SIZE for images smaller than 16×16.
 */
export const vgg11 = defineModel({
  id: "vgg11",
  title: "VGG11 for small images",
  paper: "Ranjan et al. 2017, Table 10",
  inputShape: [32, 32, 3],
  params: Type.Object({
    width: widthParam(),
    hidden: int(512, "Units of each of the two hidden layers.", { min: 1, unit: "units" }),
  }),
  build: ({ width, hidden }, { inputShape, classes, ...start }) => {
    requireSize("vgg11", inputShape, smallest, "Choose another model, such as lenet.");
    const he = heInitializers(start);
    const conv = (name: string, count: number) =>
      tfl.layers.conv2d({
        name,
        filters: narrowed(count, width),
        kernelSize: 3,
        padding: "same",
        activation: "relu",
        kernelInitializer: he(),
      });
    const block = ([first, second]: readonly [number, number], at: number) => [
      conv(`conv${2 * at + 1}`, first),
      conv(`conv${2 * at + 2}`, second),
      tfl.layers.maxPooling2d({ name: `pool${at + 1}`, poolSize: 2, strides: 2 }),
    ];
    const dense = (name: string) => tfl.layers.dense({ name, units: hidden, activation: "relu", kernelInitializer: he() });
    const image = tfl.input({ name: "image", shape: [...inputShape] });
    const outputs = chain(
      image,
      tfl.layers.rescaling({ name: "center", scale: 1, offset: -0.5 }),
      ...blocks.flatMap(block),
      tfl.layers.flatten({ name: "flatten" }),
      dense("fc1"),
      dense("fc2"),
      tfl.layers.dense({ name: "logits", units: classes, kernelInitializer: he() }),
    );
    return tfl.model({ name: "vgg11", inputs: image, outputs });
  },
});
