import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { defineModel } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { heInitializers } from "./initialize.ts";

const smallest = 16; // four 3×3 convolutions without padding and two pools leave one pixel of it

/**
 * conv32-conv32-pool-conv64-conv64-pool-fc200-fc200-fc, 3×3 without padding: 312,202 parameters at 28×28×1. Sees x − 0.5 through a
 * `Rescaling` layer (tfjs 4 and Keras know it).
 * @throws BulwarkError IMAGE_SIZE for images smaller than 16×16.
 */
export const papernot = defineModel({
  id: "papernot",
  title: "Papernot MNIST net",
  paper: "Ranjan et al. 2017, Table 10; Papernot et al. 2016",
  inputShape: [28, 28, 1],
  params: Type.Object({}),
  build: (_, { inputShape, classes, ...start }) => {
    if (Math.min(inputShape[0], inputShape[1]) < smallest) {
      throw new BulwarkError(
        "IMAGE_SIZE",
        `papernot needs images of at least ${smallest}×${smallest}, not ${inputShape[0]}×${inputShape[1]}.`,
        "Choose another model, such as lenet.",
      );
    }
    const he = heInitializers(start);
    const conv = (name: string, filters: number) =>
      tfl.layers.conv2d({ name, filters, kernelSize: 3, padding: "valid", activation: "relu", kernelInitializer: he() });
    const pool = (name: string) => tfl.layers.maxPooling2d({ name, poolSize: 2, strides: 2 });
    const dense = (name: string) => tfl.layers.dense({ name, units: 200, activation: "relu", kernelInitializer: he() });
    return tfl.sequential({
      name: "papernot",
      layers: [
        tfl.layers.inputLayer({ name: "image", inputShape: [...inputShape] }),
        tfl.layers.rescaling({ name: "center", scale: 1, offset: -0.5 }),
        conv("conv1", 32),
        conv("conv2", 32),
        pool("pool1"),
        conv("conv3", 64),
        conv("conv4", 64),
        pool("pool2"),
        tfl.layers.flatten({ name: "flatten" }),
        dense("fc1"),
        dense("fc2"),
        tfl.layers.dense({ name: "logits", units: classes, kernelInitializer: he() }),
      ],
    });
  },
});
