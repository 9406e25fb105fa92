import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { runNetwork } from "../../../../../src/engine/classifier/graph.ts";
import { rules } from "../../../../../src/engine/importers/graphModel/index.ts";
import { openTfjs } from "../../../../../src/engine/importers/tfjsFile.ts";
import { tf } from "../../../../../src/engine/tf.ts";
import { type Case, cases, factor, imagesOf } from "./cases.ts";
import { written } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-graph-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** What TensorFlow.js' own executor of graph models computes: `node bench/graphReference.mjs`. */
interface Reference {
  readonly scores: readonly number[];
  readonly gradient?: readonly number[];
}

/** Scores, and the gradient of their weighted sum in the order of the file's input. */
async function computed(one: Case): Promise<Reference> {
  const model = await openTfjs(await written(one, folder));
  const { whole } = model.normalise({ input: {} }, undefined);
  const network = await model.build(whole);
  await model.close();
  const { shape, data } = imagesOf(one);
  const isFirst = one.input[3] !== 3 && one.input[1] === 3;
  const run = (x: tf.Tensor): tf.Tensor => runNetwork(network, isFirst ? tf.transpose(x, [0, 2, 3, 1]) : x);
  const [scores = [], gradient = []] = tf.tidy((): number[][] => {
    const x = tf.tensor(data, [...shape]);
    const found = run(x);
    const factors = tf.tensor(
      Array.from({ length: found.size }, (_, i) => factor(i)),
      found.shape,
    );
    const slope = tf.grad((v) => tf.sum(tf.mul(run(v), factors)))(x);
    return [[...found.dataSync()], [...slope.dataSync()]];
  });
  network.dispose();
  return { scores, gradient };
}

function expectAlike(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  const size = Math.max(1e-3, ...wanted.map(Math.abs));
  const apart = Math.max(...wanted.map((value, i) => Math.abs(value - (found[i] as number)))) / size;
  expect(apart).toBeLessThan(1e-5);
}

describe("operations of graph models", async () => {
  const reference = JSON.parse(await fs.readFile(path.join(import.meta.dirname, "reference.json"), "utf8")) as Record<string, Reference>;
  for (const one of cases)
    it(one.name, async () => {
      const wanted = reference[one.name] as Reference;
      const found = await computed(one);
      expectAlike(found.scores, wanted.scores);
      if (wanted.gradient) expectAlike(found.gradient ?? [], wanted.gradient);
      expect(wanted.gradient === undefined).toBe(one.isForwardOnly === true);
    });

  it("are each met by a case", () => {
    const met = new Set(cases.flatMap(({ nodes }) => nodes.map(({ op }) => op)));
    expect([...rules.keys()].filter((op) => !met.has(op))).toEqual(["PlaceholderWithDefault"]); // in graphModel.test.ts
  });
});
