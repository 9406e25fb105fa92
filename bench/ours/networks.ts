import { freeze } from "../../src/engine/backends/index.ts";
import { runNetwork } from "../../src/engine/classifier/graph.ts";
import { crossEntropy } from "../../src/engine/losses/crossEntropy.ts";
import { type Images, type Labels, type Logits, tf } from "../../src/engine/tf.ts";
import { classifier, newNetwork, noise, volumeShape } from "./nets.ts";
import type { Row, Work } from "./work.ts";

/** Logits of a batch and the gradient of its summed cross-entropy with respect to the images, weights frozen: what a step of an attack costs. */
export async function networks(row: Row): Promise<Work> {
  if (row.task === "matmul") return product();
  const { logits, shape, classes } = await network(row);
  return workOf(row.task, logits, { batch: noise(row.batch, shape, classes), shape });
}

/** "forward", or the gradient. @param shape of an image */
export function workOf(
  task: string,
  logits: (x: tf.Tensor) => Logits,
  { batch, shape }: { readonly batch: ReturnType<typeof noise>; readonly shape: readonly number[] },
): Work {
  const x = tf.tensor(batch.images, [batch.n, ...shape]);
  const labels: Labels = tf.tensor1d(batch.labels, "int32");
  const read = async (tensor: tf.Tensor): Promise<void> => {
    await tensor.data();
    tensor.dispose();
  };
  if (task === "forward") return { run: () => read(tf.tidy(() => logits(x))) };
  const loss = (input: tf.Tensor): tf.Scalar => crossEntropy(logits(input), labels, "sum");
  return { run: () => read(tf.tidy(() => tf.grad(loss)(x))) };
}

async function network(row: Row): Promise<{ logits: (x: tf.Tensor) => Logits; shape: readonly number[]; classes: number }> {
  if (row.net === "cnn3d") {
    const { network } = newNetwork(row.net);
    freeze(network);
    return { logits: (x) => runNetwork(network, x) as Logits, shape: volumeShape, classes: 10 };
  }
  const model = await classifier(row);
  return { logits: (x) => model.logits(x as Images), shape: model.inputShape, classes: model.classes };
}

/** The same product of matrices on both sides: what the machine could do at best, 2.15 GFLOP. */
function product(): Work {
  const [a, b] = [tf.randomUniform([1024, 1024]), tf.randomUniform([1024, 1024])];
  return { run: () => tf.tidy(() => void tf.matMul(a, b).dataSync()) };
}
