import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { followedIterations } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { correctWithin, isFooledWithin } from "../../../../src/engine/metrics/iterations.ts";
import { bind } from "../../../../src/engine/registry.ts";
import type { Chosen } from "../../../../src/shared/experiment.ts";
import { convNetwork, labelledByModel, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

describe("accuracy within k iterations of one run", () => {
  const model = () => classifierOf(convNetwork({ shape: [6, 6, 1], filters: 2 }), { contract: { input: {} }, outputs: "logits" });
  const n = 24;
  const run = async (chosen: Chosen) => {
    const open = model();
    const { entry, params } = bind("attack", chosen);
    const batch = labelledByModel(open, randomBatch(n, open.inputShape, open.classes));
    const { records } = await attackBatch({ attack: entry, params, model: open, batch, firstIndex: 0, seedName: "pgd" }, createContext());
    return records;
  };

  it.each([
    ["the sign of the cross-entropy's gradient", { eps: 0.1, stepSize: 0.002 }],
    ["that of the margin's, from the image itself", { eps: 0.1, stepSize: 0.002, loss: "margin", randomStart: false }],
    ["images that are broken retire", { eps: 0.1, stepSize: 0.002, retire: true }],
    ["steps in an L2 ball", { norm: "l2", eps: 0.5, stepSize: 0.01 }],
  ])("is that of separate runs, image for image: %s", async (_, more) => {
    const long = await run({ kind: "pgd", steps: 40, ...more });
    const fallen = [];
    for (const k of [10, 20, 40]) {
      const short = await run({ kind: "pgd", steps: k, ...more });
      expect(long.map((record) => isFooledWithin(record, k))).toEqual(short.map(({ prediction, label }) => prediction !== label));
      fallen.push(n - correctWithin(long, k));
    }
    expect(new Set(fallen).size).toBe(3); // images fall in each part of the run
  });

  it.each([false, true])(
    "counts the iterations of restarts one after the other, with the end of each attempt (retire %s)",
    async (retire) => {
      const attempts = (restarts: number) => run({ kind: "pgd", eps: 0.1, stepSize: 0.01, steps: 5, restarts, retire });
      const all = await attempts(3);
      const fallen = [];
      for (const restarts of [1, 2, 3]) {
        const some = await attempts(restarts);
        expect(all.map((record) => isFooledWithin(record, 5 * restarts))).toEqual(
          some.map(({ prediction, label }) => prediction !== label),
        );
        fallen.push(n - correctWithin(all, 5 * restarts));
      }
      expect(fallen.at(-1)).toBeGreaterThan(fallen[0] as number);
      expect((await attempts(1)).some(({ success, iterations }) => success && iterations === 5)).toBe(true); // some fall at the very end of the first
      expect(Math.max(...all.map(({ iterations }) => iterations))).toBe(15);
    },
  );

  it("leaves an image that was wrong before wrong", async () => {
    const [first, ...rest] = await run({ kind: "pgd", eps: 0, steps: 2 });
    if (!first) throw new Error("no record");
    const wrong = { ...first, cleanPrediction: first.label + 1, prediction: first.label + 1, success: false, iterations: 0 };
    expect([0, 2].map((k) => correctWithin([wrong, ...rest], k))).toEqual([n - 1, n - 1]);
  });

  it.each<[Chosen, number | null]>([
    [{ kind: "pgd", steps: 7, restarts: 3 }, 21],
    [{ kind: "pgd", target: "leastLikely" }, null],
    [{ kind: "bim", steps: 8 }, 8],
    [{ kind: "cwPgd", steps: 100 }, 100],
    [{ kind: "iterStepLL", steps: 3 }, 3], // any wrong class counts, whatever it steps towards
    [{ kind: "stepLL" }, null],
    [{ kind: "fgsm" }, null],
    [{ kind: "lavan" }, null],
    [{ kind: "sparseRs" }, null],
    [{ kind: "adversarialPatch" }, null],
  ])("%j is followed for %s iterations", (chosen, iterations) => {
    const { entry, params } = bind("attack", chosen);
    expect(followedIterations(entry, params)).toBe(iterations);
  });
});
