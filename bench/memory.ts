// One process of the memory measurement: see memory.mjs. Ends with code 1 when anything has grown.
import { freeze, useBackend } from "../src/engine/backends/index.ts";
import { OnnxBackend } from "../src/engine/backends/onnxruntime/backend.ts";
import { tf, tfl } from "../src/engine/tf.ts";

const steps = Number(process.env["STEPS"] ?? 10_000);
const { conv2d, dense, flatten, maxPooling2d } = tfl.layers;
const network = (): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      conv2d({ inputShape: [14, 14, 1], filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      maxPooling2d({ poolSize: 2 }),
      conv2d({ filters: 16, kernelSize: 3, activation: "relu" }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 10 }),
    ],
  });

interface Sample {
  readonly step: number;
  readonly megabytes: number;
  readonly tensors: number;
  readonly sessions: number;
}
function sample(step: number): Sample {
  (globalThis as { gc?: () => void }).gc?.();
  const backend = tf.backend();
  const sessions = backend instanceof OnnxBackend ? backend.sessions.size : 0;
  return { step, megabytes: process.memoryUsage.rss() / 2 ** 20, tensors: tf.memory().numTensors, sessions };
}

/** Warms up for a fifth of the steps, in which V8 sizes its heap, then runs them all and compares ten samples with the one at the start. */
function measure(name: string, count: number, body: (step: number) => void): boolean {
  for (let step = 1; step <= count / 5; step++) body(step);
  const samples: Sample[] = [sample(0)];
  for (let step = 1; step <= count; step++) {
    body(step);
    if (step % Math.ceil(count / 10) === 0) samples.push(sample(step));
  }
  console.log(`\n${name}, ${count} steps\n     step      MB   tensors   sessions`);
  for (const { step, megabytes, tensors, sessions } of samples)
    console.log(
      `${String(step).padStart(9)}${megabytes.toFixed(1).padStart(8)}${String(tensors).padStart(10)}${String(sessions).padStart(11)}`,
    );
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return false;
  const growth = 100 * (Math.max(...samples.map(({ megabytes }) => megabytes)) / first.megabytes - 1);
  const leaked = last.tensors - first.tensors;
  const flat = growth <= 5 && leaked === 0 && last.sessions === first.sessions;
  console.log(`resident memory at most ${growth.toFixed(1)} % above the first sample, ${leaked} tensors more: ${flat ? "flat" : "GROWS"}`);
  return flat;
}

async function main(): Promise<void> {
  console.log((await useBackend("onnxruntime")).device);
  const x = tf.randomUniform([16, 14, 14, 1], 0, 1, "float32", 1);
  const y = tf.oneHot(tf.range(0, 16, 1, "int32").mod(tf.scalar(10, "int32")) as tf.Tensor1D, 10);
  const lossOf = (model: tfl.LayersModel, images: tf.Tensor): tf.Scalar =>
    tf.losses.softmaxCrossEntropy(y, model.apply(images) as tf.Tensor);

  const attacked = network();
  const thaw = freeze(attacked);
  let image: tf.Tensor = x.clone();
  const pgd = measure("PGD", steps, () => {
    const next = tf.tidy(() => {
      const moved = tf.add(image, tf.mul(tf.sign(tf.grad((input: tf.Tensor) => lossOf(attacked, input))(image)), 0.01));
      return tf.clipByValue(tf.minimum(tf.maximum(moved, tf.sub(x, 0.1)), tf.add(x, 0.1)), 0, 1);
    });
    next.dataSync();
    image.dispose();
    image = next;
  });
  thaw();

  const trained = network();
  const optimizer = tf.train.momentum(0.01, 0.9);
  const training = measure("training", Math.ceil(steps / 5), () =>
    tf.tidy(() => void optimizer.minimize(() => lossOf(trained, x), true)?.dataSync()),
  );
  process.exitCode = pgd && training ? 0 : 1;
}
void main();
