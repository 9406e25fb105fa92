import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import { createContext } from "../../src/engine/context.ts";
import { resolveParams } from "../../src/engine/define/index.ts";
import { bind, defenses } from "../../src/engine/registry.ts";
import { tf } from "../../src/engine/tf.ts";
import { type ImageSource, train } from "../../src/engine/training/loop.ts";
import { stackedPlan } from "../../src/engine/training/plan.ts";
import { defaultTrain } from "../../src/shared/experiment.ts";
import { convNetwork, randomBatch, withoutInitialValues } from "../unit/engine/fixtures.ts";
import { backends, outOfBounds } from "./subjects.ts";

const inputShape = [8, 8, 1] as const;
const facts = { inputShape, classes: 3 };
/** Dark, grey and bright noise: every slice of an image tells its class. */
const noise = randomBatch(20, inputShape, 3);
const data = { ...noise, images: noise.images.map((v, j) => 0.2 * v + 0.4 * (noise.labels[Math.floor(j / 64)] ?? 0)) };
const source: ImageSource = {
  size: 20,
  read: async (indices) => ({
    images: Float32Array.from(Array.from(indices).flatMap((i) => Array.from(data.images.subarray(i * 64, (i + 1) * 64)))),
    labels: Int32Array.from(indices, (i) => data.labels[i] ?? 0),
    n: indices.length,
  }),
};

const training = defenses.filter((entry) => entry.kind === "training");
/** Every training defence alone, and stacks of them, the first of a list nearest to plain training. */
const stacks: readonly (readonly string[])[] = [
  ...training.map(({ id }) => [id]),
  ["labelSmoothing", "adversarialTraining"],
  ["volumizedCurriculum", "labelSmoothing", "adversarialTraining"],
  ["adversarialTraining", "volumizedCurriculum", "boundedRelu"],
  ["compactConvolution", "labelSmoothing"],
  ["compactConvolution", "volumizedCurriculum"],
  ["volumizedCurriculum", "compactConvolution"],
];
const cheap = (id: string) => bind("defense", { kind: id, ...training.find((entry) => entry.id === id)?.cheap });

describe.each(backends)("on %s", (backend) => {
  let directory: string;
  beforeAll(() => useBackend(backend));
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "defense-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  describe.each(stacks.map((ids) => [ids.join(" + "), ids] as const))("%s", (_, ids) => {
    const trained = async (epochs: number, o: { signal?: AbortSignal; onProgress?: () => void } = {}) => {
      const plan = stackedPlan(ids.map(cheap), facts);
      const base = withoutInitialValues(() => convNetwork({ dropout: 0.2, seed: 2 }));
      const network = withoutInitialValues(() => plan.network(base));
      if (network !== base) base.dispose();
      const settings = { ...defaultTrain, epochs, batchSize: 8, learningRate: 0.01 };
      try {
        await train(
          { network, plan, train: source, validation: source, settings, inputShape, arm: "a", checkpointDirectory: directory },
          createContext({ seed: 4, ...o }),
        );
        return network.getWeights().map((w) => Array.from(w.dataSync()));
      } finally {
        network.dispose();
      }
    };

    it("learns its training images", async () => {
      const losses: number[] = [];
      const plan = stackedPlan(ids.map(cheap), facts);
      const network = plan.network(convNetwork({ seed: 2 }));
      const settings = { ...defaultTrain, epochs: 12, batchSize: 8, learningRate: 0.01 };
      const ctx = createContext({ seed: 4, onEvent: (e) => e.kind === "epoch" && losses.push(e.trainLoss) });
      await train({ network, plan, train: source, validation: null, settings, inputShape, arm: "a", checkpointDirectory: directory }, ctx);
      network.dispose();
      expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] ?? 0));
    });

    it("ends with the same weights when it was stopped in an epoch and continued", async () => {
      const whole = await trained(2);
      rmSync(directory, { recursive: true });
      const stop = new AbortController();
      let calls = 0;
      const onProgress = () => {
        if (++calls === stopAt) stop.abort();
      };
      const stepsOfAnEpoch = await countSteps();
      const stopAt = stepsOfAnEpoch + 2;
      rmSync(directory, { recursive: true });
      await expect(trained(2, { signal: stop.signal, onProgress })).rejects.toMatchObject({ code: "CANCELLED" });
      expect(calls).toBe(stopAt);
      expect(await trained(2)).toEqual(whole);
    });
    const countSteps = async (): Promise<number> => {
      let steps = 0;
      await trained(1, { onProgress: () => void steps++ });
      return steps;
    };

    it("leaks no tensor", async () => {
      await trained(1);
      const before = tf.memory().numTensors;
      rmSync(directory, { recursive: true });
      await trained(1);
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});

describe.each(training.map((entry) => [entry.id, entry] as const))("%s", (id, entry) => {
  it("refuses parameters out of bounds", () => {
    for (const [key, { outside }] of Object.entries(outOfBounds(entry.params))) {
      for (const value of outside) expect(() => resolveParams(entry.params, { [key]: value }, id), `${key} = ${value}`).toThrow(key);
    }
    expect(() => resolveParams(entry.params, { nonsense: 1 }, id)).toThrow("nonsense");
  });
});
