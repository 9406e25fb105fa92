import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import { type ModelSpec, resolveParams } from "../../src/engine/define/index.ts";
import { efficientNetB0 } from "../../src/engine/models/efficientNetB0.ts";
import { inceptionV3 } from "../../src/engine/models/inceptionV3.ts";
import { GroupedConv2D } from "../../src/engine/models/layers/index.ts";
import { lenet } from "../../src/engine/models/lenet.ts";
import { papernot } from "../../src/engine/models/papernot.ts";
import { resnet9 } from "../../src/engine/models/resnet9.ts";
import { resnet50 } from "../../src/engine/models/resnet50.ts";
import { vgg16 } from "../../src/engine/models/vgg16.ts";
import { openModel } from "../../src/engine/session/openModel.ts";
import { tf, tfl } from "../../src/engine/tf.ts";
import { Missing, type Row } from "./work.ts";

const { conv2d, conv3d, dense, flatten, maxPooling2d, maxPooling3d } = tfl.layers;

const pair = (filters: number, inputShape?: number[]) => [
  conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu", ...(inputShape ? { inputShape } : {}) }),
  conv2d({ filters, kernelSize: 3, padding: "same", activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
];
const volume = (filters: number, inputShape?: number[]) =>
  conv3d({ filters, kernelSize: [3, 3, 3], padding: "same", activation: "relu", ...(inputShape ? { inputShape } : {}) });

/** Slices, their height and width, and channels of the volumes that cnn3d takes. */
export const volumeShape = [16, 8, 8, 3] as const;

const handmade: Readonly<Record<string, () => tfl.LayersModel>> = {
  cnn2d: () =>
    tfl.sequential({
      layers: [
        ...pair(32, [32, 32, 3]),
        ...pair(64),
        ...pair(128),
        flatten(),
        dense({ units: 256, activation: "relu" }),
        dense({ units: 10 }),
      ],
    }),
  cnn3d: () =>
    tfl.sequential({
      layers: [
        volume(32, [...volumeShape]),
        volume(32),
        maxPooling3d({ poolSize: [1, 2, 2] }),
        volume(64),
        maxPooling3d({ poolSize: [1, 2, 2] }),
        flatten(),
        dense({ units: 10 }),
      ],
    }),
  resnext,
};

/** A block of ResNeXt (Xie et al. 2017) with 32 groups and batch normalisation folded, as exporters leave it. */
function block(x: tfl.SymbolicTensor, width: number, strides: number): tfl.SymbolicTensor {
  const apply = (layer: tfl.layers.Layer, input: tfl.SymbolicTensor): tfl.SymbolicTensor => layer.apply(input) as tfl.SymbolicTensor;
  const rectified = (input: tfl.SymbolicTensor): tfl.SymbolicTensor => apply(tfl.layers.reLU(), input);
  const narrow = rectified(apply(conv2d({ filters: width, kernelSize: 1 }), x));
  const grouped = new GroupedConv2D({ filters: width, kernelSize: 3, strides, padding: "same", groups: 32 });
  const wide = apply(conv2d({ filters: 2 * width, kernelSize: 1 }), rectified(apply(grouped, narrow)));
  const beside = strides === 1 ? x : apply(conv2d({ filters: 2 * width, kernelSize: 1, strides }), x);
  return rectified(tfl.layers.add().apply([wide, beside]) as tfl.SymbolicTensor);
}

/** One block of each of ResNeXt-50's first three widths, with 4, 8 and 16 channels to a group, on feature maps of a photograph's size. */
function resnext(): tfl.LayersModel {
  const inputs = tfl.input({ shape: [56, 56, 3] });
  const stem = tfl.layers.reLU().apply(conv2d({ filters: 256, kernelSize: 1 }).apply(inputs)) as tfl.SymbolicTensor;
  const last = block(block(block(stem, 128, 1), 256, 2), 512, 2);
  const scores = dense({ units: 10 }).apply(tfl.layers.globalAveragePooling2d({}).apply(last)) as tfl.SymbolicTensor;
  return tfl.model({ inputs, outputs: scores });
}

const builders: Readonly<Record<string, ModelSpec>> = { efficientNetB0, inceptionV3, lenet, papernot, resnet50, resnet9, vgg16 };

const shapes: Readonly<Record<string, readonly [number, number, number]>> = { cnn3d: [16 * 8, 8, 3], resnext: [56, 56, 3] };

/** A network with new weights; 1000 classes for photographs, else 10. */
export function newNetwork(net: string, side?: number): { network: tfl.LayersModel; inputShape: readonly [number, number, number] } {
  const made = handmade[net];
  if (made) return { network: made(), inputShape: shapes[net] ?? [32, 32, 3] };
  const spec = builders[net];
  if (!spec) throw new Error(`no network ${net}`);
  const inputShape = side && side >= 100 ? ([side, side, 3] as const) : spec.inputShape;
  const classes = inputShape[0] >= 100 ? 1000 : 10;
  return { network: spec.build(resolveParams(spec.params, {}, spec.id), { inputShape, classes, seed: 1 }), inputShape };
}

/** A network under attack, its weights frozen: the trained papernot of the samples, the MobileNetV2 that was named, or new weights. */
export async function classifier({ net, side, root, mobilenet }: Row): Promise<Classifier> {
  if (net === "papernot") return (await openModel(`${root}/samples/models/papernot`)).classifier;
  if (net === "mobileNetV2") {
    if (mobilenet === "") throw new Missing("no MobileNetV2 was named (--mobilenet model.json)");
    return (await openModel(mobilenet)).classifier;
  }
  const { network } = newNetwork(net, side);
  return classifierOf(network, { contract: { input: {} }, outputs: "logits" });
}

/** Images of noise and labels for them. */
export function noise(batch: number, shape: readonly number[], classes: number): { images: Float32Array; labels: Int32Array; n: number } {
  const size = shape.reduce((a, b) => a * b, 1);
  const pixels = tf.tidy(() => Float32Array.from(tf.randomUniform([batch * size], 0, 1, "float32", 1).dataSync()));
  return { images: pixels, labels: Int32Array.from({ length: batch }, (_, i) => (7 * i) % classes), n: batch };
}
