import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { type DistanceData, meanRatio, minimalDistance, rightAt } from "../../../../src/engine/analyses/minimalDistance.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { EvaluationImages } from "../../../../src/engine/define/index.ts";
import { analysedAttack, arm, facts, subject, undefended } from "./fixtures.ts";

const deepFool = { id: "deepFool", params: {} };
const ctx = createContext();
/** Images of two pixels, (3, 4)·scale: their length is 5·scale. */
const imagesOf = (...scales: number[]): EvaluationImages => ({
  n: scales.length,
  inputShape: [1, 2, 1],
  read: async (start, end) => ({
    images: Float32Array.from(scales.slice(start, end).flatMap((scale) => [3 * scale, 4 * scale])),
    labels: new Int32Array(end - start),
    n: end - start,
  }),
});

/** Ratios of the worked example: the last of six images was wrong without an attack. */
async function measured(): Promise<DistanceData> {
  const ratios = [0.05, 0.15, 0.25, 0.35, 0.6, 0];
  const attack = analysedAttack({ attack: deepFool, fate: "bbbbbw" });
  const records = attack.records.map((record, i) => ({ ...record, l2: (ratios[i] as number) * 0.5 }));
  // The same attack on what was wrong: away from the prediction; the images that were right count as wrong there, and rest.
  const wrong = analysedAttack({ attack: deepFool, fate: "wwwwwb" }).records.map((record) => ({ ...record, l2: 0 }));
  const distances = { norm: "l2" as const, found: 5, of: 5, mean: null, median: null };
  const asked = subject({
    attacks: [
      { ...attack, records, summary: { ...attack.summary, distances } },
      analysedAttack({ attack: { id: "fgsm", params: {} }, fate: "bbbbbw" }),
    ],
    further: [{ ...attack, key: "deepFool-wrong", records: wrong }],
    images: () => imagesOf(0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
  });
  const data = (await minimalDistance.measure?.(asked, {}, ctx)) as DistanceData[];
  expect(data).toHaveLength(1); // FGSM looks for no smallest change
  return data[0] as DistanceData;
}

describe("the distance to the boundary", () => {
  it("gives accuracy at every length of the change from one run: the worked example", async () => {
    const data = await measured();
    const accuracy = [0.1, 0.2, 0.3, 0.4, 0.5].map((d) => rightAt(data, d) / data.n);
    for (const [i, value] of [4 / 6, 3 / 6, 2 / 6, 1 / 6, 1 / 6].entries()) expect(accuracy[i]).toBeCloseTo(value, 12);
    expect(meanRatio(data)).toBeCloseTo(1.4 / 6, 6); // of all six
  });

  it("counts an image that was not fooled as right at every length, and a black one too", async () => {
    const data: DistanceData = {
      ...(await measured()),
      n: 3,
      wrong: [],
      images: [
        { distance: 9, ratio: 9, isFooled: false },
        { distance: 1, ratio: null, isFooled: true },
        { distance: 1, ratio: 0.2, isFooled: true },
      ],
    };
    expect([0.1, 0.2, 100].map((d) => rightAt(data, d))).toEqual([3, 2, 2]);
    expect(meanRatio(data)).toBeCloseTo(4.6, 12);
    const { notes, tables } = minimalDistance.present(
      [arm({ name: "a", defense: undefended, data: [data] })],
      { ratios: [0.2, 0.1], bins: 4 },
      facts([]),
    );
    expect(notes.at(-1)).toContain("A black image has no length");
    expect(tables[0]?.rows).toEqual([["a", "Deep fool", 2, 3, 1, 1, 4.6]]);
    expect(tables[1]?.rows).toEqual([["a", "Deep fool", 1, 2 / 3]]); // ascending: d = 0.1, d = 0.2
  });

  it("draws every distance in one bin, the largest in the last", async () => {
    const data = await measured();
    const [histogram] =
      minimalDistance.present([arm({ name: "a", defense: undefended, data: [data] })], { ratios: [0.1], bins: 3 }, facts([])).figures ?? [];
    expect(histogram).toMatchObject({ kind: "histogram", series: [{ counts: [2, 2, 1] }] }); // .025, .075 | .125, .175 | .3
  });

  it("asks for the same attack on the images that an arm has wrong", () => {
    const chosen = [
      { id: "deepFool", params: { steps: 7 } },
      { id: "fgsm", params: {} },
    ];
    expect(minimalDistance.attacks?.({ ratios: [0.1], bins: 4 }, facts([], chosen))).toEqual([
      { id: "deepFool", params: { steps: 7 }, key: "deepFool-wrong", images: 0, wrongOnly: true },
    ]);
  });

  it("needs an attack that looks for it", () => {
    const one = (id: string) => facts([], [{ id, params: {} }]);
    const p = { ratios: [0.1], bins: 4 };
    expect(() => minimalDistance.check?.(p, one("pgd"))).toThrow("the experiment has none");
    expect(() => minimalDistance.check?.(p, one("carliniWagner"))).not.toThrow();
    expect(() => minimalDistance.check?.({ ...p, ratios: [1, 1] }, one("deepFool"))).toThrow("each value once");
  });
});
