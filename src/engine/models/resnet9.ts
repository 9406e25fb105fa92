import { Type } from "@sinclair/typebox";
import { defineModel } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { narrowed, widthParam } from "./blocks.ts";
import { heInitializers } from "./initialize.ts";

/**
 * conv64 – conv128/pool – residual(128) – conv256/pool – conv512/pool – residual(512) – global average pool – FC. Every 3×3
 * convolution is without bias and followed by batch normalisation and ReLU: 6,577,610 parameters at 32×32×3 and 10 classes. On slices
 * of 8×8 pixels its last residual block works on single pixels; a quarter of the width is 1/16 of the work there.
 */
export const resnet9 = defineModel({
  id: "resnet9",
  title: "ResNet9",
  paper: "Wu et al. 2022",
  inputShape: [32, 32, 3],
  params: Type.Object({ width: widthParam() }),
  build: ({ width }, { inputShape, classes, ...start }) => {
    const he = heInitializers(start);
    const block = (x: tfl.SymbolicTensor, name: string, channels: number): tfl.SymbolicTensor => {
      const filters = narrowed(channels, width);
      const conv = tfl.layers.conv2d({ name, filters, kernelSize: 3, padding: "same", useBias: false, kernelInitializer: he() });
      const norm = tfl.layers.batchNormalization({ name: `${name}_norm`, momentum: 0.9, epsilon: 1e-3 });
      return [conv, norm, tfl.layers.reLU({ name: `${name}_relu` })].reduce((y, layer) => layer.apply(y) as tfl.SymbolicTensor, x);
    };
    const pool = (x: tfl.SymbolicTensor, name: string) =>
      tfl.layers.maxPooling2d({ name, poolSize: 2, strides: 2, padding: "same" }).apply(x) as tfl.SymbolicTensor;
    const residual = (x: tfl.SymbolicTensor, name: string, filters: number) =>
      tfl.layers.add({ name }).apply([x, block(block(x, `${name}_conv1`, filters), `${name}_conv2`, filters)]) as tfl.SymbolicTensor;

    const image = tfl.input({ name: "image", shape: [...inputShape] });
    let x = block(image, "conv1", 64);
    x = residual(pool(block(x, "conv2", 128), "pool2"), "residual1", 128);
    x = pool(block(x, "conv3", 256), "pool3");
    x = residual(pool(block(x, "conv4", 512), "pool4"), "residual2", 512);
    x = tfl.layers.globalAveragePooling2d({ name: "average" }).apply(x) as tfl.SymbolicTensor;
    const logits = tfl.layers.dense({ name: "logits", units: classes, kernelInitializer: he() }).apply(x) as tfl.SymbolicTensor;
    return tfl.model({ name: "resnet9", inputs: image, outputs: logits });
  },
});
