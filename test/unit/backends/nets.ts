import { freeze } from "../../../src/engine/backends/index.ts";
import { tf, tfl } from "../../../src/engine/tf.ts";

const { conv2d, conv3d, dense, flatten, maxPooling2d, maxPooling3d } = tfl.layers;

/** Seeded weights, so that every backend starts from the same network. */
function build(layers: tfl.LayersModel["layers"]): tfl.LayersModel {
  const network = tfl.sequential({ layers });
  const state = { seed: 1 };
  network.setWeights(
    network.weights.map((weight) => {
      const values = noise(weight.read().size, state, 0.3);
      return tf.tensor(weight.originalName.includes("variance") ? values.map((v) => Math.abs(v) + 0.5) : values, weight.read().shape);
    }),
  );
  return network;
}

/** A small linear congruential generator: the same numbers on every backend, in [-scale, scale). */
export function noise(size: number, state: { seed: number }, scale = 1): Float32Array {
  return Float32Array.from({ length: size }, () => {
    state.seed = (Math.imul(state.seed, 1664525) + 1013904223) >>> 0;
    return scale * (state.seed / 2 ** 31 - 1);
  });
}

export const lenet = (): tfl.LayersModel =>
  build([
    conv2d({ inputShape: [14, 14, 1], filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 8, kernelSize: 3, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 16, activation: "relu" }),
    dense({ units: 10 }),
  ]);

export const lenet3d = (): tfl.LayersModel =>
  build([
    conv3d({ inputShape: [4, 7, 7, 1], filters: 4, kernelSize: [3, 3, 3], padding: "same", activation: "relu" }),
    maxPooling3d({ poolSize: [1, 2, 2] }),
    conv3d({ filters: 6, kernelSize: [4, 2, 2], activation: "relu" }),
    flatten(),
    dense({ units: 10 }),
  ]);

/** Channels that fill whole blocks of onnxruntime's own layout, windows that overlap and strides: the lowerings that the small ones miss. */
export const wide = (): tfl.LayersModel =>
  build([
    conv2d({ inputShape: [11, 9, 3], filters: 16, kernelSize: 3, padding: "same", activation: "relu" }),
    conv2d({ filters: 32, kernelSize: 3, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 16, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
    maxPooling2d({ poolSize: 3, strides: 1, padding: "same" }),
    tfl.layers.averagePooling2d({ poolSize: 2, strides: 1 }),
    flatten(),
    dense({ units: 10 }),
  ]);

export const wide3d = (): tfl.LayersModel =>
  build([
    conv3d({ inputShape: [4, 4, 4, 2], filters: 16, kernelSize: 3, padding: "same", activation: "relu" }),
    conv3d({ filters: 32, kernelSize: 3, padding: "same", activation: "relu" }),
    maxPooling3d({ poolSize: [1, 2, 2] }),
    conv3d({ filters: 16, kernelSize: [2, 3, 3], strides: [2, 1, 1], padding: "same" }),
    maxPooling3d({ poolSize: 2, padding: "same" }),
    flatten(),
    dense({ units: 10 }),
  ]);

const norm = (config: Parameters<typeof tfl.layers.batchNormalization>[0] = {}) => tfl.layers.batchNormalization(config);

/** Batch normalisation in ONNX Runtime's own layout and outside of it, before a ReLU, a pool and a dense layer, with parts left out. */
export const normed = (): tfl.LayersModel =>
  build([
    conv2d({ inputShape: [10, 8, 3], filters: 16, kernelSize: 3, padding: "same", useBias: false }),
    norm(),
    tfl.layers.reLU(),
    conv2d({ filters: 32, kernelSize: 3, padding: "same", useBias: false }),
    norm({ scale: false }),
    tfl.layers.reLU(),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 16, kernelSize: 3, padding: "same", useBias: false }),
    norm({ center: false }),
    conv2d({ filters: 6, kernelSize: 1, useBias: false }),
    norm({ epsilon: 0.1 }),
    tfl.layers.reLU(),
    flatten(),
    dense({ units: 12, useBias: false }),
    norm(),
    dense({ units: 10 }),
  ]);

/** As our 3-D networks have it: slices are stacked for the normalisation, and what lies between is laid out slice by slice. */
export const normed3d = (): tfl.LayersModel => {
  const { reshape } = tfl.layers;
  return build([
    conv3d({ inputShape: [4, 4, 4, 2], filters: 16, kernelSize: 3, padding: "same", useBias: false }),
    reshape({ targetShape: [16, 4, 16] }),
    norm(),
    reshape({ targetShape: [4, 4, 4, 16] }),
    tfl.layers.reLU(),
    conv3d({ filters: 32, kernelSize: 3, padding: "same", useBias: false }),
    reshape({ targetShape: [16, 4, 32] }),
    norm(),
    reshape({ targetShape: [4, 4, 4, 32] }),
    tfl.layers.reLU(),
    maxPooling3d({ poolSize: [1, 2, 2] }),
    flatten(),
    dense({ units: 10 }),
  ]);
};

/** Logits, and the gradients of the summed cross entropy with respect to the input and to every weight. */
export function evaluate(network: tfl.LayersModel, batch: number): Float32Array[] {
  const shape = [batch, ...(network.inputs[0]?.shape.slice(1).map((size) => size ?? 1) ?? [])];
  const values = noise(
    shape.reduce((a, b) => a * b, 1),
    { seed: 7 },
  );
  return tf.tidy(() => {
    const x = tf.tensor(values, shape);
    const labels = tf.oneHot(
      tf.tensor1d(
        Array.from({ length: batch }, (_, i) => i % 10),
        "int32",
      ),
      10,
    );
    // A network over volumes has one row of logits for each slice.
    const classes = (y: tf.Tensor): tf.Tensor => (y.rank === 3 ? y.mean(1) : y);
    const loss = (input: tf.Tensor): tf.Scalar =>
      tf.losses.softmaxCrossEntropy(
        labels,
        classes(network.apply(input, { training: true }) as tf.Tensor),
        undefined,
        undefined,
        tf.Reduction.SUM,
      );
    const logits = network.predict(x) as tf.Tensor;
    const gradient = tf.grad((input: tf.Tensor) => loss(input))(x);
    const { grads } = tf.variableGrads(() => loss(x));
    return [logits, gradient, ...network.trainableWeights.map((weight) => grads[weight.name] ?? tf.scalar(Number.NaN))].map(
      (tensor) => tensor.dataSync() as Float32Array,
    );
  });
}

/** Largest difference relative to the largest value of the reference; infinite where one is NaN or missing. */
export function difference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (actual.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let [largest, scale] = [0, 1e-6];
  for (let i = 0; i < wanted.length; i++) {
    const apart = Math.abs((actual[i] ?? Number.NaN) - (wanted[i] ?? Number.NaN));
    largest = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(largest, apart);
    scale = Math.max(scale, Math.abs(wanted[i] ?? 0));
  }
  return largest / scale;
}

/** Seeded values in [-1, 1). */
export const seeded = (shape: readonly number[], seed: number): tf.Tensor =>
  tf.tensor(
    noise(
      shape.reduce((a, b) => a * b, 1),
      { seed },
    ),
    [...shape],
  );

/** Output and input gradient of a network of such layers, frozen as under attack, with the same weights whichever backend is current. */
export function frozenPass(net: (x: tfl.SymbolicTensor) => tfl.SymbolicTensor, shape: readonly number[]): [Float32Array, Float32Array] {
  const input = tfl.input({ shape: shape.slice(1) });
  const network = tfl.model({ inputs: input, outputs: net(input) });
  const weights = network.weights.map((weight, i) => {
    const given = seeded(weight.shape as number[], 10 + i);
    return weight.originalName.includes("variance") ? tf.add(tf.abs(given), 0.2) : given;
  });
  network.setWeights(weights);
  const thaw = freeze(network);
  const x = seeded(shape, 1);
  const output = network.predict(x) as tf.Tensor;
  const direction = seeded(output.shape, 2);
  const gradient = tf.grad((v: tf.Tensor) => tf.sum(tf.mul(network.predict(v) as tf.Tensor, direction)))(x);
  const results: [Float32Array, Float32Array] = [output.dataSync<"float32">(), gradient.dataSync<"float32">()];
  thaw();
  network.dispose();
  return results;
}
