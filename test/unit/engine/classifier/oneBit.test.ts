import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { attackSurface } from "../../../../src/engine/classifier/surface.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { bitDepth } from "../../../../src/engine/defenses/bitDepth.ts";
import { defineInferenceDefense, type InferenceDefense } from "../../../../src/engine/define/index.ts";
import { readPicture } from "../../../../src/engine/evaluation/picture.ts";
import { predict } from "../../../../src/engine/harness/predict.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";

const samples = path.join(import.meta.dirname, "../../../../samples");
const names = ["zero", "one", "two", "four", "seven", "nine"];
const labels = Int32Array.of(0, 1, 2, 4, 7, 9);

// Rounding to one bit in front of the network trained on MNIST that the samples bring, under PGD-40 at ε 0.6.
describe("one-bit rounding", () => {
  let model: Classifier;
  let images: Float32Array;
  beforeAll(async () => {
    await useBackend("onnxruntime");
    model = (await openModel(path.join(samples, "models/papernot"))).classifier;
    const pictures = await Promise.all(names.map((name) => readPicture(path.join(samples, `${name}.png`), model)));
    images = Float32Array.from(pictures.flatMap(({ pixels }) => [...pixels]));
  });
  /** How many of the six digits are still classified correctly. */
  const leftRight = async (entry: InferenceDefense, knowledge: "static" | "adaptive"): Promise<number> => {
    const params = { depth: 1 };
    const front = defended(model, [{ id: entry.id, params, entry }], { random: () => expect.unreachable("it is not randomised") });
    const { entry: attack, params: attackParams } = bind("attack", { kind: "pgd", eps: 0.6 });
    const task = { attack, params: attackParams, batch: { images, labels, n: 6 }, firstIndex: 0, seedName: "pgd" };
    const { adversarial, cleanPredictions } = await attackBatch({ ...task, model: attackSurface(front, knowledge).model }, createContext());
    expect([...cleanPredictions]).toEqual([...labels]);
    return (await predict(front, adversarial)).filter((prediction, i) => prediction === labels[i]).length;
  };

  it("protects nothing from an attacker who passes the gradient as the identity", async () => {
    expect(await leftRight(bitDepth, "adaptive")).toBe(0);
  });

  it("would seem to protect if its own gradient were taken, which is 0: this is what BPDA is for", async () => {
    const exact = defineInferenceDefense({ ...bitDepth, params: bitDepth.params, transform: bitDepth.transform, backward: () => "exact" });
    expect(await leftRight(exact as InferenceDefense, "adaptive")).toBeGreaterThanOrEqual(5);
  });
});
