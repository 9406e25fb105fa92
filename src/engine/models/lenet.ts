import { Type } from "@sinclair/typebox";
import { defineModel, num } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { heInitializers } from "./initialize.ts";

/**
 * conv32@5×5 – pool – conv64@5×5 – pool – FC1024 – dropout – FC: the network that papers on MNIST mean by "LeNet", 3,274,634 parameters
 * at 28×28×1. The paper's undefined "keeprate 0.5" is read as the keep probability of its dropout.
 */
export const lenet = defineModel({
  id: "lenet",
  title: "LeNet",
  paper: "Wu et al. 2022; Madry et al. 2018",
  inputShape: [28, 28, 1],
  params: Type.Object({
    dropout: num(0.5, "Dropout rate of the last hidden layer.", { min: 0, max: 0.95, unit: "of 1" }),
  }),
  build: ({ dropout }, { inputShape, classes, ...start }) => {
    const he = heInitializers(start);
    const conv = (name: string, filters: number) =>
      tfl.layers.conv2d({ name, filters, kernelSize: 5, padding: "same", activation: "relu", kernelInitializer: he() });
    const pool = (name: string) => tfl.layers.maxPooling2d({ name, poolSize: 2, strides: 2, padding: "same" });
    return tfl.sequential({
      name: "lenet",
      layers: [
        tfl.layers.inputLayer({ name: "image", inputShape: [...inputShape] }),
        conv("conv1", 32),
        pool("pool1"),
        conv("conv2", 64),
        pool("pool2"),
        tfl.layers.flatten({ name: "flatten" }),
        tfl.layers.dense({ name: "fc1", units: 1024, activation: "relu", kernelInitializer: he() }),
        tfl.layers.dropout({ name: "dropout", rate: dropout, seed: start.seed }),
        tfl.layers.dense({ name: "logits", units: classes, kernelInitializer: he() }),
      ],
    });
  },
});
