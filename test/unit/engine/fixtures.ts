import type { Classifier } from "../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../src/engine/classifier/network.ts";
import { type ContextOptions, createContext, type RunContext } from "../../../src/engine/context.ts";
import type { AttackContext, ImageBatch } from "../../../src/engine/define/index.ts";
import { createRandom } from "../../../src/engine/random.ts";
import { tf, tfl } from "../../../src/engine/tf.ts";

export { plainPlan } from "../../../src/engine/training/plan.ts";

/** z = W·x + bias of a flattened [h,w,c] image: `rows` is W, one row a class. */
export function linearNetwork(rows: number[][], shape: [number, number, number], bias?: number[]): tfl.LayersModel {
  const network = tfl.sequential({
    layers: [tfl.layers.flatten({ inputShape: shape }), tfl.layers.dense({ units: rows.length, useBias: bias !== undefined })],
  });
  const kernel = tf.transpose(tf.tensor2d(rows));
  network.setWeights(bias ? [kernel, tf.tensor1d(bias)] : [kernel]);
  tf.dispose(kernel);
  return network;
}

export function linearClassifier(rows: number[][], shape: [number, number, number], bias?: number[]): Classifier {
  return classifierOf(linearNetwork(rows, shape, bias), { contract: { input: {} }, outputs: "logits" });
}

/** Two classes of images of two pixels a and b: z₀ − z₁ = 3a + 4b − 1. */
export const twoPixels = (): Classifier =>
  linearClassifier(
    [
      [3, 4],
      [0, 0],
    ],
    [1, 2, 1],
    [-1, 0],
  );

/** conv 3×3 – ReLU – max-pool – (dropout) – dense, with weights from a seed; small enough for the reference backend. */
export function convNetwork(
  o: { shape?: [number, number, number]; classes?: number; filters?: number; seed?: number; dropout?: number; batchNorm?: boolean } = {},
): tfl.LayersModel {
  const { shape = [8, 8, 1], classes = 3, filters = 4, seed = 1, dropout = 0, batchNorm = false } = o;
  const init = (offset: number) => tfl.initializers.glorotUniform({ seed: seed * 10 + offset });
  const input = tfl.input({ shape });
  let x = tfl.layers.conv2d({ filters, kernelSize: 3, padding: "same", kernelInitializer: init(1), name: uid("conv") }).apply(input);
  if (batchNorm) x = tfl.layers.batchNormalization().apply(x);
  x = tfl.layers.reLU().apply(x);
  x = tfl.layers.maxPooling2d({ poolSize: 2, name: uid("pool") }).apply(x);
  x = tfl.layers.flatten().apply(x);
  if (dropout > 0) x = tfl.layers.dropout({ rate: dropout }).apply(x);
  x = tfl.layers.dense({ units: classes, kernelInitializer: init(2) }).apply(x) as tfl.SymbolicTensor;
  return tfl.model({ inputs: input, outputs: x as tfl.SymbolicTensor });
}

/** tfjs keeps the initial value of a weight beside the weight, unless it is made in a tidy. */
export function withoutInitialValues(make: () => tfl.LayersModel): tfl.LayersModel {
  const made: tfl.LayersModel[] = [];
  tf.tidy(() => {
    made.push(make());
  });
  return made[0] as tfl.LayersModel;
}
let names = 0;
const uid = (name: string): string => `${name}_${++names}`;

/** n random images; labels in turn. */
export function randomBatch(n: number, [h, w, c]: readonly [number, number, number], classes: number, seed = 7): ImageBatch {
  return { images: createRandom(seed).uniforms(n * h * w * c), labels: Int32Array.from({ length: n }, (_, i) => i % classes), n };
}

/** The same images with the model's own predictions as labels: all are clean-correct. */
export function labelledByModel(model: Classifier, batch: ImageBatch): ImageBatch {
  const predicted = tf.tidy(() => tf.argMax(model.logits(tf.tensor4d(batch.images, [batch.n, ...model.inputShape])), 1).dataSync());
  return { ...batch, labels: Int32Array.from(predicted) };
}

/** A context for calling an attack directly, without the harness. */
export function attackContext(options: ContextOptions = {}): AttackContext & RunContext {
  const ctx = createContext(options);
  return { ...ctx, iterate: async () => ctx.checkpoint(), random: (i) => ctx.rng.stream(String(i)) };
}

export const near = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Array.from(actual).reduce((worst, value, i) => Math.max(worst, Math.abs(value - (expected[i] ?? Number.NaN))), 0);
};

/** By hand: z = [.2, .2, −.2] at [.6, .4]; label 0 is a tie that argmax gives to class 0, and the least likely class is 2. */
export const exactClassifier = () =>
  linearClassifier(
    [
      [1, -1],
      [0, 0.5],
      [-1, 1],
    ],
    [1, 2, 1],
  );
