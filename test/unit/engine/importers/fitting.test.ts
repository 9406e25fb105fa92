import { promises as fs } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { explainImages } from "../../../../src/engine/evaluation/explain.ts";
import { classify, predictWithConfidence, probabilities } from "../../../../src/engine/harness/predict.ts";
import { loadNetwork } from "../../../../src/engine/importers/index.ts";
import { checkNetwork } from "../../../../src/engine/importers/inspect.ts";
import { inspectModel } from "../../../../src/engine/jobs/inspectModel.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";
import { attackContext, near } from "../fixtures.ts";
import { convolutions, type ModelFiles, modelFiles, plainNetwork, predictions, randomImages, randomWeights } from "./modelFiles.ts";

let files: ModelFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await modelFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

const opened = async (network: tfl.LayersModel, contract?: InputContract) =>
  (await openModel(await files.write(network, undefined, contract))).classifier;
const ends = (activation: string, units = 3) =>
  randomWeights(
    tfl.sequential({
      layers: [tfl.layers.flatten({ inputShape: [4, 4, 3] }), tfl.layers.dense({ units, activation: activation as "tanh", name: "out" })],
    }),
  );
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const values = (x: tf.Tensor): Float32Array => Float32Array.from(x.dataSync());

describe("inputs that are no [height, width, 1 or 3]", () => {
  it("[height, width] is gray", async () => {
    const network = randomWeights(tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [5, 4] }), tfl.layers.dense({ units: 3 })] }));
    const model = await opened(network);
    const x = randomImages([2, 5, 4, 1]);
    expect(model.inputShape).toEqual([5, 4, 1]);
    expect(near(model.logits(x as Images).dataSync(), predictions(network, tf.reshape(x, [2, 5, 4])))).toBeLessThan(1e-6);
  });

  for (const contract of [
    { input: {} },
    { input: { mean: 127.5, scale: 127.5 } },
    { input: { mean: [10, 20, 30, 40], scale: [50, 60, 70, 80] } },
  ])
    it(`RGBA is RGB and an opaque alpha, scaled by ${JSON.stringify(contract.input)}`, async () => {
      const network = randomWeights(
        tfl.sequential({
          layers: [
            tfl.layers.conv2d({ inputShape: [5, 4, 4], filters: 3, kernelSize: 3 }),
            tfl.layers.flatten(),
            tfl.layers.dense({ units: 3 }),
          ],
        }),
      );
      const model = await opened(network, contract);
      expect(model.inputShape).toEqual([5, 4, 3]);
      const x = randomImages([2, 5, 4, 3]);
      const [mean, scale] = [contract.input.mean ?? 0, contract.input.scale ?? 255];
      const rgba = tf.concat([x, tf.ones([2, 5, 4, 1])], 3);
      const seen = tf.div(tf.sub(tf.mul(rgba, 255), mean), scale);
      expect(near(model.logits(x as Images).dataSync(), predictions(network, seen))).toBeLessThan(1e-4);
      const { gradient } = inputGradient(model, x as Images, (z) => tf.sum(z));
      expect(gradient.shape).toEqual([2, 5, 4, 3]);
    });

  it("RGBA bytes, where the first layer says so, have the alpha 255", async () => {
    const network = randomWeights(
      tfl.sequential({
        layers: [tfl.layers.rescaling({ inputShape: [5, 4, 4], scale: 1 / 255 }), tfl.layers.flatten(), tfl.layers.dense({ units: 3 })],
      }),
    );
    const x = randomImages([2, 5, 4, 3]);
    const bytes = tf.mul(tf.concat([x, tf.ones([2, 5, 4, 1])], 3), 255);
    expect(near((await opened(network)).logits(x as Images).dataSync(), predictions(network, bytes))).toBeLessThan(1e-5);
  });

  it("of any size take the contract's, else 224×224 with a note; their layers have sizes", async () => {
    const network = randomWeights(
      tfl.sequential({
        layers: [convolutions("base", [null, null, 3]), tfl.layers.globalAveragePooling2d({}), tfl.layers.dense({ units: 3 })],
      }),
    );
    const stated = await files.write(network, undefined, { input: { size: [12, 8] } });
    const { layers, inputShape, notes: said } = await inspectModel(stated);
    expect(inputShape).toEqual([null, 12, 8, 3]);
    expect(layers.find(({ name }) => name === "base/c2")).toMatchObject({
      outputShape: [null, 6, 4, 4],
      parameters: 4 * 4 * 9 + 4,
      depth: 1,
    });
    expect(said.join()).not.toContain("any size");
    const x = randomImages([2, 12, 8, 3]);
    const model = (await openModel(stated)).classifier;
    expect(near(model.logits(x as Images).dataSync(), predictions(network, x))).toBeLessThan(1e-5);
    const { network: free, contract, notes } = await loadNetwork(await files.write(network));
    expect(contract.input.size).toEqual([224, 224]);
    expect(notes.join()).toContain("224×224 is used");
    free.dispose();
    const ctx = attackContext();
    expect((await explainImages(model, values(x), { id: "gradCam", params: {} }, ctx)).layer).toBe("base/c2");
    expect((await explainImages(model, values(x), { id: "gradCam", params: { layer: "c1" } }, ctx)).layer).toBe("base/c1");
  });
});

describe("outputs", () => {
  it("a single sigmoid is two classes with the scores 0 and z, whose probability is its own", async () => {
    const network = ends("sigmoid", 1);
    const model = await opened(network, { input: {}, output: { classes: ["cat", "dog"] } });
    const x = randomImages([3, 4, 4, 3]);
    const own = predictions(network, x); // sigmoid(z) by tfjs
    expect(model.classNames).toEqual(["cat", "dog"]);
    expect(
      near(
        await probabilities(model, values(x)),
        own.flatMap((p) => [1 - p, p]),
      ),
    ).toBeLessThan(1e-6);
    expect(
      near(
        model.logits(x as Images).dataSync(),
        own.flatMap((p) => [0, Math.log(p / (1 - p))]),
      ),
    ).toBeLessThan(1e-3);
    const { network: loaded } = await loadNetwork(await files.write(network));
    expect(loaded.outputs[0]?.shape).toEqual([null, 2]);
    const before = tf.memory().numTensors;
    loaded.dispose();
    expect(before - tf.memory().numTensors).toBe(2); // kernel and bias
  });

  it("several sigmoids show their own probabilities; attacks follow the scores before them", async () => {
    const network = ends("sigmoid");
    const model = await opened(network);
    const x = randomImages([3, 4, 4, 3]);
    const own = predictions(network, x);
    const z = [...model.logits(x as Images).dataSync()];
    expect(near(z.map(sigmoid), own)).toBeLessThan(1e-6);
    expect(near(await probabilities(model, values(x)), own)).toBeLessThan(1e-6);
    expect(near((await classify(model, values(x))).probabilities, own)).toBeLessThan(1e-6);
    const { classes, confidence } = await predictWithConfidence(model, values(x));
    expect(
      near(
        confidence,
        [...classes].map((c, i) => own[3 * i + c] as number),
      ),
    ).toBeLessThan(1e-6);
  });

  for (const activation of ["tanh", "hardSigmoid", "softsign", "relu6"])
    it(`${activation} at the end raises RB102`, async () => {
      const { warnings } = await inspectModel(await files.write(ends(activation)));
      expect(warnings).toContainEqual(expect.stringMatching(/^RB102.*bounds its scores/));
      const model = await opened(ends(activation));
      expect(model.findings).toContainEqual(expect.objectContaining({ rule: "RB102" }));
    });

  it("a softmax that something else uses too stays where it is, with RB102", async () => {
    const input = tfl.input({ shape: [4, 4, 3] });
    const flat = tfl.layers.flatten().apply(input);
    const shared = tfl.layers.dense({ units: 3, activation: "softmax", name: "shared" }).apply(flat) as tfl.SymbolicTensor;
    const network = randomWeights(tfl.model({ inputs: input, outputs: shared }));
    const gated = await files.write(network, (json) => {
      json.modelTopology.config.layers.push({
        class_name: "Activation",
        name: "aside",
        config: { name: "aside", activation: "relu" },
        inbound_nodes: [[["shared", 0, 0, {}]]],
      });
    });
    expect(await loadNetwork(gated)).toMatchObject({ outputs: "probabilities" });
  });

  it("that are NaN are refused wherever scores are read", async () => {
    const network = plainNetwork();
    network.getLayer("bn").setWeights([1, 0, 0, -1].map((value) => tf.fill([4], value))); // √ of a negative variance
    const directory = await files.write(network);
    const nan = { code: "MODEL_NAN", message: "The model's scores are not numbers.", fix: expect.any(String) };
    await expect(checkNetwork(directory)).rejects.toMatchObject(nan);
    const model = (await openModel(directory)).classifier;
    const x = values(randomImages([2, 6, 6, 3]));
    await expect(probabilities(model, x)).rejects.toMatchObject(nan);
    await expect(classify(model, x)).rejects.toMatchObject(nan);
    await expect(predictWithConfidence(model, x)).rejects.toMatchObject(nan);
    await expect(explainImages(model, x, { id: "gradCam", params: {} }, attackContext())).rejects.toMatchObject(nan);
  });
});
