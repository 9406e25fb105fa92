import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import { createContext } from "../../src/engine/context.ts";
import type { Params } from "../../src/engine/define/index.ts";
import { attackBatch } from "../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../src/engine/random.ts";
import { bind } from "../../src/engine/registry.ts";
import { linearClassifier, near } from "../unit/engine/fixtures.ts";
import { backends } from "./subjects.ts";

// z = W·x: the margin z₀ − z₁ = w·x falls fastest along −w, so that the best image of a ball is known without any search.
const size = 16;
const rng = createRandom(8);
const [first, second] = [rng.uniforms(size, -1, 1), rng.uniforms(size, -1, 1)];
const w = first.map((value, j) => value - (second[j] ?? 0));
const middling = rng.uniforms(size, 0.4, 0.6); // no ball below meets the edge of [0,1]
const extreme = rng.uniforms(size).map((value, j) => (j % 3 === 0 ? Math.round(value) : value)); // a third lies on it

/** x − ε·sign w, clipped: the least of a sum is the least of each term. */
const bestOfBox = (x: Float32Array, eps: number): Float32Array =>
  x.map((value, j) => Math.min(1, Math.max(0, value - eps * Math.sign(w[j] ?? 0))));
/** x − clip(s·w) with the s that makes it ε long, by bisection (Lagrange). */
function bestOfSphere(x: Float32Array, eps: number): Float32Array {
  const at = (s: number) => x.map((value, j) => Math.min(1, Math.max(0, value - s * (w[j] ?? 0))));
  const length = (s: number) => Math.hypot(...at(s).map((value, j) => value - (x[j] ?? 0)));
  let [low, high] = [0, 1e3];
  for (let round = 0; round < 100; round++) {
    const middle = (low + high) / 2;
    if (length(middle) > eps) high = middle;
    else low = middle;
  }
  return at(low);
}
const margin = (x: ArrayLike<number>): number => w.reduce((sum, value, j) => sum + value * (x[j] ?? 0), 0);

describe.each(backends)("on %s against a linear model", (backend) => {
  beforeAll(() => useBackend(backend));
  const attacked = async (id: string, x: Float32Array, params: Params): Promise<Float32Array> => {
    const bound = bind("attack", { kind: id, ...params });
    // The bias keeps the image of class 0 out of reach: what is looked at is how far an attack gets.
    const model = linearClassifier([[...first], [...second]], [4, 4, 1], [100, 0]);
    const batch = { images: x, labels: Int32Array.of(0), n: 1 };
    const task = { attack: bound.entry, params: bound.params, model, batch, firstIndex: 0, seedName: "values" };
    const { adversarial } = await attackBatch(task, createContext());
    model.dispose();
    return adversarial;
  };

  describe.each(["crossEntropy", "margin"])("%s", (loss) => {
    // Cross-entropy underflows at a margin of 100: exp(−100) is 0 in float32, and so is its gradient, where the margin has one.
    const given = loss === "margin" ? { loss } : { loss, target: 1 };
    it("fgsm takes the best corner of the L∞ ball, and the best point of an L2 ball that lies within [0,1]", async () => {
      for (const x of [middling, extreme])
        expect(near(await attacked("fgsm", x, { eps: 0.1, ...given }), bestOfBox(x, 0.1))).toBeLessThan(1e-6);
      expect(near(await attacked("fgsm", middling, { eps: 0.3, norm: "l2", ...given }), bestOfSphere(middling, 0.3))).toBeLessThan(1e-5);
    });

    it("pgd reaches the best point of both balls, from wherever it starts", async () => {
      for (const x of [middling, extreme]) {
        expect(near(await attacked("pgd", x, { eps: 0.1, ...given }), bestOfBox(x, 0.1))).toBeLessThan(1e-6);
        // A step of size s leaves ε/(ε + s) of the distance to the best direction: 1/1.1 a step, 7e-5 after 100.
        const best = bestOfSphere(x, 0.5);
        const long = await attacked("pgd", x, { eps: 0.5, norm: "l2", steps: 100, stepSize: 0.05, ...given });
        expect(near(long, best)).toBeLessThan(1e-3);
        expect(margin(long) - margin(best)).toBeLessThan(1e-6); // flat at the best point: the margin is nearer than the place
        // The usual 40 steps go 2.5 radii in all, which leaves a tenth of what the start was off.
        const usual = await attacked("pgd", x, { eps: 0.5, norm: "l2", steps: 40, ...given });
        expect((margin(x) - margin(usual)) / (margin(x) - margin(best))).toBeGreaterThan(0.98);
      }
    });
  });
});
