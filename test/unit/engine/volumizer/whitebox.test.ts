import { beforeAll, describe, expect, it } from "vitest";
import { pgd } from "../../../../src/engine/attacks/pgd.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { volumizedCurriculum } from "../../../../src/engine/defenses/volumizedCurriculum.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { plainPlan } from "../../../../src/engine/training/plan.ts";
import { convNetwork, labelledByModel, randomBatch } from "../fixtures.ts";

const inputShape = [8, 8, 1] as const;
let model: Classifier;

beforeAll(async () => {
  await useBackend("cpu");
  const params = resolveParams(volumizedCurriculum.params, { patch: 4 }, "volumizedCurriculum");
  const plan = volumizedCurriculum.plan(plainPlan, params, { inputShape, classes: 3 });
  model = classifierOf(plan.network(convNetwork()), { contract: { input: {} }, outputs: "logits", plan, inputShape });
});

describe("a volumized model seen by a white-box attack", () => {
  const first = (x: Images): tf.Scalar => tf.sum(tf.slice(model.logits(x), [0, 0], [-1, 1])) as tf.Scalar;

  it("has the gradient of finite differences, the order of the slices held constant", () => {
    // Pixels in the middle of their bytes, and steps far smaller than one: no byte changes, hence no order.
    const rng = createRandom(4);
    const pixels = Float32Array.from({ length: 64 }, () => rng.integer(255) / 255);
    const x: Images = tf.tensor4d(pixels, [1, ...inputShape]);
    const { gradient } = inputGradient(model, x, (logits) => tf.sum(tf.slice(logits, [0, 0], [-1, 1])) as tf.Scalar);
    const values = gradient.dataSync();
    const step = 1.5e-3; // of 1; half a byte is 2e-3
    for (const place of [0, 3, 12, 27, 36, 45, 63]) {
      const moved = (by: number): number => {
        const shifted = Float32Array.from(pixels);
        shifted[place] = (shifted[place] as number) + by;
        return first(tf.tensor4d(shifted, [1, ...inputShape])).dataSync()[0] as number;
      };
      expect((moved(step) - moved(-step)) / (2 * step)).toBeCloseTo(values[place] as number, 3);
    }
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.05);
  });

  it("falls to PGD where as much noise does nothing", async () => {
    const batch = labelledByModel(model, randomBatch(12, inputShape, 3, 11));
    const eps = 0.3;
    const rng = createRandom(1);
    const noisy = batch.images.map((v) => Math.min(1, Math.max(0, v + (rng.next() < 0.5 ? eps : -eps))));
    const wrong = (images: Float32Array): number => {
      const classes = tf.argMax(model.logits(tf.tensor4d(images, [12, ...inputShape])), 1).dataSync();
      return classes.filter((k, i) => k !== batch.labels[i]).length;
    };
    const params = resolveParams(pgd.params, { eps, steps: 20 }, "pgd");
    const outcome = await attackBatch({ attack: pgd, params, model, batch, firstIndex: 0, seedName: "t" }, createContext());
    expect(wrong(outcome.adversarial)).toBeGreaterThan(2 * wrong(noisy) + 3);
  });
});
