import { tf, tfl } from "../src/engine/tf.ts";

const { conv2d, conv3d, dense, flatten, maxPooling2d, maxPooling3d } = tfl.layers;

/** A network to measure and the shape of one batch; the same as in baseline.py. */
export interface Net {
  readonly build: () => tfl.LayersModel;
  readonly input: readonly number[];
}

const pair = (filters: number, padding: "same" | "valid", inputShape?: number[]) => [
  conv2d({ filters, kernelSize: 3, padding, activation: "relu", ...(inputShape ? { inputShape } : {}) }),
  conv2d({ filters, kernelSize: 3, padding, activation: "relu" }),
  maxPooling2d({ poolSize: 2 }),
];
const volume = (filters: number, inputShape?: number[]) =>
  conv3d({ filters, kernelSize: [3, 3, 3], padding: "same", activation: "relu", ...(inputShape ? { inputShape } : {}) });

export const nets: Readonly<Record<string, Net>> = {
  cnn2d: {
    input: [64, 32, 32, 3],
    build: () =>
      tfl.sequential({
        layers: [
          ...pair(32, "same", [32, 32, 3]),
          ...pair(64, "same"),
          ...pair(128, "same"),
          flatten(),
          dense({ units: 256, activation: "relu" }),
          dense({ units: 10 }),
        ],
      }),
  },
  papernot: {
    input: [100, 28, 28, 1],
    build: () =>
      tfl.sequential({
        layers: [
          ...pair(32, "valid", [28, 28, 1]),
          ...pair(64, "valid"),
          flatten(),
          dense({ units: 200, activation: "relu" }),
          dense({ units: 200, activation: "relu" }),
          dense({ units: 10 }),
        ],
      }),
  },
  cnn3d: {
    input: [64, 16, 8, 8, 3],
    build: () =>
      tfl.sequential({
        layers: [
          volume(32, [16, 8, 8, 3]),
          volume(32),
          maxPooling3d({ poolSize: [1, 2, 2] }),
          volume(64),
          maxPooling3d({ poolSize: [1, 2, 2] }),
          flatten(),
          dense({ units: 10 }),
        ],
      }),
  },
};

/** The work that is measured, each ending in a read. */
export function tasks(net: Net): { network: tfl.LayersModel; forward: () => void; inputGradient: () => void; trainStep: () => void } {
  const network = net.build();
  const x = tf.randomUniform([...net.input], 0, 1, "float32", 1);
  const classes = Array.from({ length: net.input[0] ?? 1 }, (_, i) => i % 10);
  const labels = tf.oneHot(tf.tensor1d(classes, "int32"), 10);
  const optimizer = tf.train.momentum(0.01, 0.9);
  const loss = (input: tf.Tensor, reduction: tf.Reduction): tf.Scalar =>
    tf.losses.softmaxCrossEntropy(labels, network.apply(input, { training: true }) as tf.Tensor, undefined, undefined, reduction);
  return {
    network,
    forward: () => tf.tidy(() => void (network.predict(x, { batchSize: net.input[0] ?? 1 }) as tf.Tensor).dataSync()),
    inputGradient: () => {
      const gradient = tf.tidy(() => tf.grad((input: tf.Tensor) => loss(input, tf.Reduction.SUM))(x));
      gradient.dataSync();
      gradient.dispose();
    },
    trainStep: () => {
      const value = optimizer.minimize(() => loss(x, tf.Reduction.MEAN), true);
      value?.dataSync();
      value?.dispose();
    },
  };
}
