// Compact convolutions beside plain ones of the same size, forward and with the gradient of images and weights, in turn. One JSON document.
import { type BackendName, useBackend } from "../src/engine/backends/index.ts";
import { CompactConv2D, CompactDense } from "../src/engine/models/layers/index.ts";
import { createRandom } from "../src/engine/random.ts";
import { tf, tfl } from "../src/engine/tf.ts";
import { median, timed } from "./volumes.ts";

const repeats = Number(process.env["REPEATS"] ?? 15);
const backend = (process.env["BACKEND"] ?? "onnxruntime") as BackendName;
const batch = Number(process.env["BATCH"] ?? 32);

interface Subject {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layer: (compact: boolean) => tfl.layers.Layer;
}
const conv = (filters: number) => (compact: boolean) => {
  const config = { filters, kernelSize: 3, padding: "same", activation: "relu" } as const;
  return compact ? new CompactConv2D(config) : tfl.layers.conv2d(config);
};
const dense = (units: number) => (compact: boolean) =>
  compact ? new CompactDense({ units, activation: "relu" }) : tfl.layers.dense({ units, activation: "relu" });

/** Layers of the two networks of the paper. */
const subjects: readonly Subject[] = [
  { name: "conv 28×28×1 → 32", shape: [28, 28, 1], layer: conv(32) },
  { name: "conv 26×26×32 → 32", shape: [26, 26, 32], layer: conv(32) },
  { name: "conv 12×12×32 → 64", shape: [12, 12, 32], layer: conv(64) },
  { name: "conv 10×10×64 → 64", shape: [10, 10, 64], layer: conv(64) },
  { name: "conv 32×32×64 → 128", shape: [32, 32, 64], layer: conv(128) },
  { name: "conv 8×8×256 → 512", shape: [8, 8, 256], layer: conv(512) },
  { name: "dense 1024 → 200", shape: [1024], layer: dense(200) },
];

/** A papernot of four convolutions and three dense layers, all compact or none. */
function papernot(compact: boolean): tfl.LayersModel {
  const make = (of: (compact: boolean) => tfl.layers.Layer) => of(compact);
  const valid = (filters: number) => (isCompact: boolean) => {
    const config = { filters, kernelSize: 3, activation: "relu" } as const;
    return isCompact ? new CompactConv2D(config) : tfl.layers.conv2d(config);
  };
  const pool = () => tfl.layers.maxPooling2d({ poolSize: 2 });
  const image = tfl.input({ shape: [28, 28, 1] });
  const layers = [make(valid(32)), make(valid(32)), pool(), make(valid(64)), make(valid(64)), pool(), tfl.layers.flatten()];
  const outputs = [...layers, make(dense(200)), make(dense(200)), make(dense(10))].reduce(
    (x, layer) => layer.apply(x) as tfl.SymbolicTensor,
    image,
  );
  return tfl.model({ inputs: image, outputs });
}

type Run = () => Promise<void>;
const read = async (tensors: readonly tf.Tensor[]): Promise<void> => {
  await Promise.all(tensors.map((t) => t.data()));
  tf.dispose([...tensors]);
};

/** The three things that are timed: scores, their gradient by the image, and by the weights too, as in a training step. */
function runsOf(apply: (x: tf.Tensor) => tf.Tensor, weights: () => tf.Variable[], x: tf.Tensor): Readonly<Record<string, Run>> {
  const loss = (v: tf.Tensor) => tf.sum(tf.square(apply(v)));
  return {
    forward: () => read([tf.tidy(() => tf.sum(apply(x)))]),
    "gradient of the image": () => read([tf.tidy(() => tf.sum(tf.grad(loss)(x)))]),
    "gradient of image and weights": async () => {
      const sums = tf.tidy(() => {
        const images = tf.variable(x);
        const { value, grads } = tf.variableGrads(() => loss(images) as tf.Scalar, [...weights(), images]);
        const all = [value, ...Object.values(grads).map((g) => tf.sum(g))];
        images.dispose();
        return all;
      });
      await read(sums);
    },
  };
}

async function compared(name: string, plain: Readonly<Record<string, Run>>, compact: Readonly<Record<string, Run>>): Promise<object[]> {
  const rows: object[] = [];
  for (const [what, run] of Object.entries(plain)) {
    const other = compact[what] as Run;
    for (let i = 0; i < 3; i++) {
      await run();
      await other();
    }
    const pairs: { plain: number; compact: number; ratio: number }[] = [];
    for (let i = 0; i < repeats; i++) {
      const [a, b] = [await timed(run), await timed(other)];
      pairs.push({ plain: a.cpu, compact: b.cpu, ratio: b.cpu / a.cpu });
    }
    const of = (key: "plain" | "compact" | "ratio") => median(pairs.map((pair) => pair[key]));
    rows.push({ name, what, plain: of("plain"), compact: of("compact"), ratio: of("ratio") });
  }
  return rows;
}

async function main(): Promise<void> {
  const { device } = await useBackend(backend);
  const rows: object[] = [];
  const tensor = (shape: readonly number[]) =>
    tf.tensor(createRandom(1).uniforms(batch * shape.reduce((a, b) => a * b, 1)), [batch, ...shape]);
  for (const { name, shape, layer } of subjects) {
    const x = tensor(shape);
    const [plain, compact] = [false, true].map((isCompact) => {
      const made = layer(isCompact);
      made.build([null, ...shape]);
      const weights = () => made.trainableWeights.map((w) => w.read() as tf.Variable);
      return runsOf((v) => made.apply(v) as tf.Tensor, weights, x);
    }) as [Record<string, Run>, Record<string, Run>];
    rows.push(...(await compared(name, plain, compact)));
  }
  const x = tensor([28, 28, 1]);
  const [plain, compact] = [false, true].map((isCompact) => {
    const network = papernot(isCompact);
    const weights = () => network.trainableWeights.map((w) => w.read() as tf.Variable);
    return runsOf((v) => network.apply(v) as tf.Tensor, weights, x);
  }) as [Record<string, Run>, Record<string, Run>];
  rows.push(...(await compared("papernot, whole", plain, compact)));
  process.stdout.write(JSON.stringify({ device, repeats, batch, rows }));
}

void main();
