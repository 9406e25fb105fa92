import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import type { Params } from "../../../../src/engine/define/index.ts";
import { aggregate } from "../../../../src/engine/models/aggregate.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { volumize } from "../../../../src/engine/volumizer/volumize.ts";
import { convNetwork } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const inputShape = [8, 8, 1] as const;
function volumized(params: Params = {}, contract = {}): Classifier {
  const plan = planOf([{ id: "volumizedCurriculum", params: { patch: 4, kernelDepth: 1, ...params } }], inputShape, 3);
  return classifierOf(plan.network(convNetwork()), { contract: { input: {}, ...contract }, outputs: "logits", plan, inputShape });
}
const slicesOf = (model: Classifier) => model.slices ?? expect.unreachable("no slices");
const images = (n: number): Images => tf.tensor4d(createRandom(3).uniforms(n * 64), [n, 8, 8, 1]);

describe("the slices of a volumized network", () => {
  it("tell what they are, and give the scores that are combined", async () => {
    const model = volumized();
    const slices = slicesOf(model);
    expect(slices).toMatchObject({
      count: 4,
      rows: 2,
      columns: 2,
      side: [4, 4],
      stride: [4, 4],
      aggregate: "meanProb",
      abstain: 0,
      reach: 1,
    });
    const x = images(3);
    const scores = slices.logits(x);
    expect(scores.shape).toEqual([3, 4, 3]);
    expect(model.evaluations).toEqual({ forward: 3, gradient: 0 });
    expect(await aggregate(scores, "meanProb").data()).toEqual(await model.logits(x).data());
    expect(volumized({ kernelDepth: 2 }).slices?.reach).toBe(2); // one convolution
  });

  it("leave out what comes before class 0, and show a gradient", async () => {
    const plain = volumized();
    const offset = volumized({}, { output: { labelOffset: 1 } });
    const x = images(2);
    const shown = slicesOf(offset).logits(x);
    expect(shown.shape).toEqual([2, 4, 2]);
    expect(await shown.data()).toEqual(await slicesOf(plain).logits(x).slice([0, 0, 1]).data());
    const { perms } = volumize(x, planOf([{ id: "volumizedCurriculum", params: { patch: 4 } }], inputShape, 3).volumizer as never);
    const gradient = tf.grad((input: tf.Tensor) =>
      slicesOf(plain)
        .logits(input as Images)
        .slice([0, 0, 0], [1, 1, 3])
        .square()
        .sum(),
    )(x);
    const first = perms[0] as number; // the scores at the first place depend on the slice that lies there, and on nothing else
    const values = await gradient.data();
    const touched = new Set(Array.from(values.keys()).filter((i) => values[i] !== 0));
    expect([...touched].every((i) => i < 64 && 2 * Math.floor(i / 32) + (Math.floor((i % 8) / 4) % 2) === first)).toBe(true);
    expect(touched.size).toBeGreaterThan(0);
  });

  it("are none of a plain network, nor behind a defence in front, which carries content across", () => {
    const flat = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    expect(flat.slices).toBeUndefined();
    const model = volumized();
    const behind = defended(model, [bind("defense", { kind: "medianFilter", window: 3 }) as never], { random: () => createRandom(1) });
    expect(behind.slices).toBeUndefined();
    expect(behind.bare?.slices).toBe(model.slices);
  });

  it("fit their network", () => {
    const plan = planOf([{ id: "volumizedCurriculum", params: { patch: 2, kernelDepth: 1 } }], inputShape, 3);
    const network = planOf([{ id: "volumizedCurriculum", params: { patch: 4 } }], inputShape, 3).network(convNetwork());
    expect(() => classifierOf(network, { contract: { input: {} }, outputs: "logits", plan, inputShape })).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", message: expect.stringContaining("16 slices") }),
    );
  });
});
