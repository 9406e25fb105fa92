import { Type } from "@sinclair/typebox";
import { defineModel } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { centered, chain, convNorm, headParam, narrowed, scores, widthParam } from "./blocks.ts";
import { layerInitializers } from "./initialize.ts";

/** Channels within the blocks of a stage and their number; a block gives four times as many. */
const stages = [
  [64, 3],
  [128, 4],
  [256, 6],
  [512, 3],
] as const;

/**
 * A 7×7 convolution and a pool, sixteen bottleneck blocks of 1×1, 3×3 and 1×1 convolutions around which the signal also passes, average
 * pool. The layers and their counts are those of Keras Applications: 25,636,712 parameters at 224×224×3 and 1000 classes.
 * Source: He et al. 2016, Table 1.
 */
export const resnet50 = defineModel({
  id: "resnet50",
  title: "ResNet50",
  paper: "He et al. 2016",
  inputShape: [224, 224, 3],
  params: Type.Object({ width: widthParam(), head: headParam() }),
  build: ({ width, head }, { inputShape, classes, ...start }) => {
    const initial = layerInitializers(start);
    const conv = (x: tfl.SymbolicTensor, name: string, channels: number, kernelSize: number, o: { strides?: number; relu?: false } = {}) =>
      convNorm(x, initial, {
        name,
        filters: narrowed(channels, width),
        kernelSize,
        strides: o.strides ?? 1,
        useBias: true,
        epsilon: 1.001e-5,
        ...(o.relu === false ? {} : { activation: "relu" }),
      });
    /** `strides` of its first convolution and of the path around it, which has a convolution where it changes the size. */
    const bottleneck = (x: tfl.SymbolicTensor, name: string, channels: number, strides: number, isFirst: boolean) => {
      const around = isFirst ? conv(x, `${name}_0_conv`, 4 * channels, 1, { strides, relu: false }) : x;
      const reduced = conv(x, `${name}_1_conv`, channels, 1, { strides });
      const through = conv(conv(reduced, `${name}_2_conv`, channels, 3), `${name}_3_conv`, 4 * channels, 1, { relu: false });
      return chain([around, through], tfl.layers.add({ name: `${name}_add` }), tfl.layers.reLU({ name: `${name}_out` }));
    };

    const image = tfl.input({ name: "image", shape: [...inputShape] });
    const padded = (name: string, padding: number) => tfl.layers.zeroPadding2d({ name, padding });
    let x = chain(image, centered(), padded("conv1_pad", 3));
    x = convNorm(x, initial, {
      name: "conv1_conv",
      filters: narrowed(64, width),
      kernelSize: 7,
      strides: 2,
      padding: "valid",
      useBias: true,
      epsilon: 1.001e-5,
      activation: "relu",
    });
    x = chain(x, padded("pool1_pad", 1), tfl.layers.maxPooling2d({ name: "pool1_pool", poolSize: 3, strides: 2 }));
    stages.forEach(([channels, count], stage) => {
      for (let i = 0; i < count; i++) x = bottleneck(x, `conv${stage + 2}_block${i + 1}`, channels, i === 0 && stage > 0 ? 2 : 1, i === 0);
    });
    return tfl.model({ name: "resnet50", inputs: image, outputs: scores(x, initial, { classes, head, seed: start.seed }) });
  },
});
