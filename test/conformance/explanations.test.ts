import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { createContext, streamContext } from "../../src/engine/context.ts";
import { type Explanation, type Params, resolveParams } from "../../src/engine/define/index.ts";
import { createRandom } from "../../src/engine/random.ts";
import { explanations } from "../../src/engine/registry.ts";
import { type Images, tf } from "../../src/engine/tf.ts";
import { near, randomBatch } from "../unit/engine/fixtures.ts";
import { cheapParams, outOfBounds, subjectRows } from "./subjects.ts";

describe.each(subjectRows)("on %s of %s", (backend, _, { make }) => {
  let model: Classifier;
  let pixels: Float32Array;
  beforeAll(async () => {
    await useBackend(backend);
    model = make();
    pixels = randomBatch(3, model.inputShape, model.classes).images;
  });
  afterAll(() => model.dispose());
  const explain = async (explanation: Explanation, from = 0, to = 3, params: Params = cheapParams(explanation), signal?: AbortSignal) => {
    const size = pixels.length / 3;
    const x: Images = tf.tensor4d(pixels.slice(from * size, to * size), [to - from, ...model.inputShape]);
    const classes = tf.tensor1d([0, 1, 2].slice(from, to), "int32");
    try {
      // A randomised model draws for image i from a stream of its own, which goes on from pass to pass.
      const seen = model.withStreams?.({ random: (i) => createRandom(`model/${from + i}`) }) ?? model;
      const ctx = createContext({ seed: 2, ...(signal ? { signal } : {}) });
      const result = await explanation.explain(
        seen,
        x,
        classes,
        params,
        streamContext(ctx, (i) => ctx.rng.stream(`explain/${from + i}`)),
      );
      const [map, area] = [Array.from(await result.map.data()), Array.from(await result.area.data())];
      const shapes = [result.map.shape, result.area.shape];
      tf.dispose([result.map, result.area]);
      return { ...result, map, area, shapes };
    } finally {
      tf.dispose([x, classes]);
    }
  };

  describe.each(explanations.map((explanation) => [explanation.id, explanation] as const))("%s", (id, explanation) => {
    it("gives maps in [0,1] and areas of zeros and ones, at image size", async () => {
      const { map, area, shapes, degenerate } = await explain(explanation);
      const [height, width] = model.inputShape;
      expect(shapes).toEqual([
        [3, height, width],
        [3, height, width],
      ]);
      expect(map.every((v) => v >= 0 && v <= 1 + 1e-6)).toBe(true);
      expect(area.every((v) => v === 0 || v === 1)).toBe(true);
      degenerate.forEach((empty, i) => {
        const sums = [map, area].map(
          (values) => values.slice(i * height * width, (i + 1) * height * width).reduce((a, b) => a + b, 0) === 0,
        );
        expect(sums).toEqual([empty, empty]);
      });
    });

    it("gives the same map again, and alone as in a batch", async () => {
      const many = await explain(explanation);
      expect((await explain(explanation)).map).toEqual(many.map);
      const size = many.map.length / 3;
      expect(near((await explain(explanation, 1, 2)).map, many.map.slice(size, 2 * size))).toBeLessThan(1e-5);
    });

    it("leaks no tensor and can be cancelled", async () => {
      await explain(explanation);
      const before = tf.memory().numTensors;
      await explain(explanation);
      expect(tf.memory().numTensors).toBe(before);
      await expect(explain(explanation, 0, 3, cheapParams(explanation), AbortSignal.abort())).rejects.toMatchObject({
        code: "CANCELLED",
      });
      expect(tf.memory().numTensors).toBe(before);
    });

    it("honours the bounds of its parameters", async () => {
      for (const [key, values] of Object.entries(outOfBounds(explanation.params))) {
        for (const value of values.outside) {
          expect(() => resolveParams(explanation.params, { [key]: value }, id), `${key} = ${value}`).toThrow(key);
        }
        if (values.minimum === undefined) continue;
        const { shapes } = await explain(explanation, 0, 3, { ...cheapParams(explanation), [key]: values.minimum });
        expect(shapes[0]).toEqual([3, ...model.inputShape.slice(0, 2)]);
      }
    });
  });
});
