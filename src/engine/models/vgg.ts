import { Type } from "@sinclair/typebox";
import { defineModel, int, type ModelSpec, num } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { centered, chain, headParam, narrowed, requireSize, scores, widthParam } from "./blocks.ts";
import { layerInitializers } from "./initialize.ts";

const filters = [64, 128, 256, 512, 512] as const;
const smallest = 32; // five pools

/**
 * Five blocks of 3×3 convolutions with a 2×2 pool behind each, then two hidden layers. The layers and their counts are those of Keras
 * Applications; a `Rescaling` in front stands for the subtraction of the mean pixel.
 * @param convolutions number of them in each block
 * Source: Simonyan & Zisserman 2015, Table 1 (D and E).
 */
export const defineVgg = (id: string, title: string, convolutions: readonly [number, number, number, number, number]): ModelSpec =>
  defineModel({
    id,
    title,
    paper: "Simonyan & Zisserman 2015",
    inputShape: [224, 224, 3],
    params: Type.Object({
      width: widthParam(),
      head: headParam(),
      hidden: int(4096, "Units of each of the two hidden layers; 512 is common for images of 32×32.", { min: 1, unit: "units" }),
      dropout: num(0.5, "Dropout rate of each hidden layer.", { min: 0, max: 0.95, unit: "of 1" }),
    }),
    build: ({ width, head, hidden, dropout }, { inputShape, classes, ...start }) => {
      requireSize(id, inputShape, smallest, "Choose another model, such as lenet or resnet9.");
      const initial = layerInitializers(start);
      const conv = (name: string, count: number) =>
        tfl.layers.conv2d({
          name,
          filters: narrowed(count, width),
          kernelSize: 3,
          padding: "same",
          activation: "relu",
          kernelInitializer: initial.he(),
        });
      const block = (count: number, at: number) => [
        ...Array.from({ length: convolutions[at] ?? 0 }, (_, i) => conv(`block${at + 1}_conv${i + 1}`, count)),
        tfl.layers.maxPooling2d({ name: `block${at + 1}_pool`, poolSize: 2, strides: 2 }),
      ];
      const dense = (name: string, at: number) => [
        tfl.layers.dense({ name, units: hidden, activation: "relu", kernelInitializer: initial.he() }),
        tfl.layers.dropout({ name: `${name}_dropout`, rate: dropout, seed: start.seed + at }),
      ];
      const image = tfl.input({ name: "image", shape: [...inputShape] });
      const x = chain(image, centered(), ...filters.flatMap(block));
      const published = () => [
        tfl.layers.flatten({ name: "flatten" }),
        ...dense("fc1", 0),
        ...dense("fc2", 1),
        tfl.layers.dense({ name: "logits", units: classes, kernelInitializer: initial.he() }),
      ];
      const outputs = head === "published" ? chain(x, ...published()) : scores(x, initial, { classes, head, seed: start.seed });
      return tfl.model({ name: id, inputs: image, outputs });
    },
  });
