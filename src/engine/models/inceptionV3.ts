import { Type } from "@sinclair/typebox";
import { choice, defineModel } from "../define/index.ts";
import { tfl } from "../tf.ts";
import { centered, chain, convNorm, headParam, narrowed, requireSize, scores, widthParam } from "./blocks.ts";
import { layerInitializers } from "./initialize.ts";

/** A convolution: channels, kernel as height×width, and "/2" where it halves the size, without padding. */
type Conv = `${number} ${number}x${number}${"" | "/2"}`;
/** Layers one after another; where the last step is a list, its convolutions lie side by side. */
interface Branch {
  readonly pool?: "average" | "max/2";
  readonly convs: readonly Conv[];
  readonly split?: readonly Conv[];
}

const a = (pooled: number): Branch[] => [
  { convs: ["64 1x1"] },
  { convs: ["48 1x1", "64 5x5"] },
  { convs: ["64 1x1", "96 3x3", "96 3x3"] },
  { pool: "average", convs: [`${pooled} 1x1`] },
];
const b = (n: number): Branch[] => [
  { convs: ["192 1x1"] },
  { convs: [`${n} 1x1`, `${n} 1x7`, "192 7x1"] },
  { convs: [`${n} 1x1`, `${n} 7x1`, `${n} 1x7`, `${n} 7x1`, "192 1x7"] },
  { pool: "average", convs: ["192 1x1"] },
];
const c: Branch[] = [
  { convs: ["320 1x1"] },
  { convs: ["384 1x1"], split: ["384 1x3", "384 3x1"] },
  { convs: ["448 1x1", "384 3x3"], split: ["384 1x3", "384 3x1"] },
  { pool: "average", convs: ["192 1x1"] },
];
const modules: readonly (readonly Branch[])[] = [
  a(32),
  a(64),
  a(64),
  [{ convs: ["384 3x3/2"] }, { convs: ["64 1x1", "96 3x3", "96 3x3/2"] }, { pool: "max/2", convs: [] }],
  b(128),
  b(160),
  b(160),
  b(192),
  [{ convs: ["192 1x1", "320 3x3/2"] }, { convs: ["192 1x1", "192 1x7", "192 7x1", "192 3x3/2"] }, { pool: "max/2", convs: [] }],
  c,
  c,
];
const smallest = 75;

/**
 * A stem of convolutions without padding, then modules of branches side by side. The layers are those of Keras Applications, and
 * 17,216 parameters more than its 23,851,784 at 299×299×3 and 1000 classes: batch normalisation here has a scale γ for every
 * channel, for tfjs cannot train it without. @throws BulwarkError IMAGE_SIZE for images smaller than 75×75 with padding "valid".
 * Source: Szegedy et al. 2016, Table 1.
 */
export const inceptionV3 = defineModel({
  id: "inceptionV3",
  title: "Inception-v3",
  paper: "Szegedy et al. 2016",
  inputShape: [299, 299, 3],
  params: Type.Object({
    width: widthParam(),
    head: headParam(),
    padding: choice(["valid", "same"], "valid", "Of the layers that the published network does not pad; same takes images of any size."),
  }),
  build: ({ width, head, padding }, { inputShape, classes, ...start }) => {
    if (padding === "valid") requireSize("inceptionV3", inputShape, smallest, 'Set its padding to "same", or choose another model.');
    const initial = layerInitializers(start);
    let count = 0;
    const conv = (x: tfl.SymbolicTensor, spec: Conv, rule: "same" | "valid" = "same") => {
      const [channels = "", kernel = "", halves] = spec.split(/[ /]/);
      const [height = 1, width_ = 1] = kernel.split("x").map(Number);
      return convNorm(x, initial, {
        name: `conv${++count}`,
        filters: narrowed(Number(channels), width),
        kernelSize: [height, width_],
        strides: halves ? 2 : 1,
        padding: halves ? padding : rule,
        activation: "relu",
      });
    };
    const halve = (name: string) => tfl.layers.maxPooling2d({ name, poolSize: 3, strides: 2, padding });
    const average = (name: string) => tfl.layers.averagePooling2d({ name, poolSize: 3, strides: 1, padding: "same" });
    const branch = (x: tfl.SymbolicTensor, name: string, { pool, convs, split }: Branch): tfl.SymbolicTensor[] => {
      const pooled = pool ? chain(x, pool === "average" ? average(`${name}_pool`) : halve(`${name}_pool`)) : x;
      const through = convs.reduce((y, spec) => conv(y, spec), pooled);
      return split ? split.map((spec) => conv(through, spec)) : [through];
    };

    const image = tfl.input({ name: "image", shape: [...inputShape] });
    let x = conv(conv(chain(image, centered()), "32 3x3/2"), "32 3x3", padding);
    x = chain(conv(x, "64 3x3"), halve("pool1"));
    x = chain(conv(conv(x, "80 1x1"), "192 3x3", padding), halve("pool2"));
    modules.forEach((branches, i) => {
      const outputs = branches.flatMap((one, k) => branch(x, `mixed${i}_${k}`, one));
      x = chain(outputs, tfl.layers.concatenate({ name: `mixed${i}` }));
    });
    return tfl.model({ name: "inceptionV3", inputs: image, outputs: scores(x, initial, { classes, head, seed: start.seed }) });
  },
});
