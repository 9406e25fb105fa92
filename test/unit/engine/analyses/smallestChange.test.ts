import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { smallestChange } from "../../../../src/engine/analyses/smallestChange.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { AnalysisSubject } from "../../../../src/engine/define/analysis.ts";
import { bind } from "../../../../src/engine/registry.ts";
import type { ImageRecord } from "../../../../src/shared/results.ts";
import { facts } from "./fixtures.ts";

const { params } = bind("analysis", { kind: "smallestChange" });
/** An image attacked away from its predicted class 1. */
const record = (index: number, l2: number, success = true): ImageRecord => ({
  index,
  label: 1,
  cleanPrediction: 1,
  prediction: success ? 0 : 1,
  success,
  successAfter8Bit: success,
  linf: l2,
  l2,
  l0: 1,
  iterations: 1,
});
/** Five images of length 5, of which the third has another label than 1, and a black one. */
const subject = {
  further: [{ records: [record(0, 1), record(1, 2), record(2, 0.5), record(3, 2.5, false), record(4, 1.5), record(5, 1)] }],
  images: () => ({
    n: 6,
    inputShape: [1, 2, 1],
    read: async () => ({
      images: Float32Array.from([3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 0, 0]),
      labels: Int32Array.of(1, 1, 0, 1, 1, 1),
      n: 6,
    }),
  }),
} as unknown as AnalysisSubject;

describe("the smallest change", () => {
  it("is measured for all images, away from what the model sees, and accuracy by the labels", async () => {
    const data = await smallestChange.measure?.(subject, params, createContext());
    expect(data).toMatchObject({ n: 6, right: 5, notFooled: 1, black: 1, distances: [1, 2, 1.5, 1] });
    // ratios .2, .4, .1, .5 (not fooled), .3, and none
    expect((data as { rho: number }).rho).toBeCloseTo(0.3, 12);
    expect((data as { accuracies: number[] }).accuracies.map((share) => Math.round(6 * share))).toEqual([5, 4, 3, 2, 2]);
  });

  it("is asked of attacks that look for it, away from the predictions", () => {
    const [further] = smallestChange.attacks?.(params, facts([])) ?? [];
    expect(further).toMatchObject({ id: "deepFool", labels: "predicted", key: "deepFool-of-predictions" });
    const check = (o: object) => () => smallestChange.check?.({ ...params, ...o }, facts([]));
    expect(check({})).not.toThrow();
    expect(check({ attack: "pgd" })).toThrow(/does not look for the smallest change/);
    expect(check({ ratios: [0.1, 0.1] })).toThrow(/ratios/);
  });

  it("is drawn as a curve and a histogram whose bins hold every distance", async () => {
    const data = await smallestChange.measure?.(subject, params, createContext());
    const arms = [{ report: { name: "a" }, data, attacks: [], history: [] }] as unknown as Parameters<typeof smallestChange.present>[0];
    const { charts, figures, tables } = smallestChange.present(arms, params, facts([]));
    expect(charts[0]?.series[0]?.points.map(({ x }) => x)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    const [histogram] = figures ?? [];
    if (histogram?.kind !== "histogram") throw new Error("no histogram");
    expect(histogram.edges.at(-1)).toBe(2);
    expect(histogram.series[0]?.counts.reduce((a, b) => a + b)).toBe(4);
    expect(histogram.series[0]?.counts[19]).toBe(1);
    expect(tables[0]?.rows).toEqual([["a", 6, expect.closeTo(0.3, 12), 1, 0.8, 1.375, 1.25]]);
  });
});
