import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { onAxis } from "../../../../src/engine/analyses/detectorCurves.ts";
import { rocCurve } from "../../../../src/engine/analyses/rocCurve.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { areaOf, separation } from "../../../../src/engine/evaluation/detect.ts";
import { thresholdStops } from "../../../../src/engine/metrics/thresholds.ts";
import { detectorSection } from "../../../../src/engine/report/detectors.ts";
import type { ArmReport, DetectorResult } from "../../../../src/shared/results.ts";
import { arm, facts, subject, undefended } from "./fixtures.ts";

const clean = [0, 0, 0.1];
const attacked = { static: [0.5, 0, 0.2], adaptive: [0, 0, 0.1] };
const attacks = [
  { attack: { id: "fgsm", params: { eps: 0.3 } }, fate: "bbr" },
  { attack: { id: "nPixel", params: { pixels: 1 } }, fate: "rrb" },
];

function scored(key: string, threshold: number | null): DetectorResult {
  const stops = thresholdStops([clean, ...Object.values(attacked)], threshold, 100);
  const results = attacks.flatMap(({ attack }) =>
    (["static", "adaptive"] as const).map((knowledge) => ({
      attack: attack.id,
      adaptive: knowledge === "adaptive",
      ...separation(attacked[knowledge], clean, { threshold, stops }),
      // Of the attacked images, those that fool the model: the last two, and the last alone of an attack that evades the detector.
      fooling: areaOf(attacked[knowledge].slice(knowledge === "static" ? 1 : 2), clean),
      files: { scores: "" },
    })),
  );
  const facts = { threshold, falsePositiveRate: 0.05, flaggedClean: threshold === null ? null : 1 / 3, thresholdImages: 40 };
  return { id: key, key, label: key.toUpperCase(), params: {}, ...facts, cleanImages: 3, positives: "all", thresholds: stops, results };
}
const detectors = [scored("mvm", 0.05), scored("sap", null)];
const withDetectors = (name: string) => {
  const one = arm({ name, defense: undefended, attacks });
  return { ...one, report: { ...one.report, detectors } as ArmReport };
};

describe("the section of detectors", () => {
  const [section] = detectorSection([withDetectors("a").report]);

  it("has a chart for each attack with all detectors on it, static ones dashed, the two of a detector in one colour", () => {
    expect(section?.charts.map(({ title }) => title)).toEqual([
      "ROC of detectors under FGSM, ε 0.3",
      "ROC of detectors under N pixel, 1 px",
    ]);
    expect(section?.charts[0]?.series.map(({ label, colour, isDashed = false }) => [label, colour, isDashed])).toEqual([
      ["MVM", 0, true],
      ["MVM, evaded", 0, false],
      ["SAP", 1, true],
      ["SAP, evaded", 1, false],
    ]);
    expect(section?.charts[0]?.series[0]?.points.at(-1)).toEqual({ x: 1, y: 1 });
  });

  it("has areas, what is flagged, and what is detected at fixed rates", () => {
    const [areas, rates] = section?.tables ?? [];
    expect(areas?.rows[0]).toEqual([
      ...["a", "MVM", "FGSM, ε 0.3", "does not know it", 3, 2],
      expect.closeTo(7 / 9, 12),
      expect.any(Number),
      1,
      expect.closeTo(2 / 3, 12),
      expect.closeTo(1 / 3, 12),
      expect.closeTo(4 / 6, 12), // 0 and 0.2 beside 0, 0 and 0.1: two ties and three wins
    ]);
    expect(areas?.rows[1]?.slice(3, 7)).toEqual(["evades it", 3, 1, 0.5]);
    expect(areas?.rows[4]?.slice(9, 11)).toEqual([null, null]); // without a threshold
    expect(rates?.columns.map(({ name }) => name).slice(4)).toEqual([
      ...["at 1 % of clean", "95 % from", "to"],
      ...["at 5 % of clean", "95 % from", "to"],
      ...["at 10 % of clean", "95 % from", "to"],
    ]);
    expect(rates?.rows[0]?.[4]).toBeCloseTo(2 / 3, 12);
  });

  it("says whose images count, that there is no threshold, and that few images tell no small rates", () => {
    expect(section?.notes.join(" ")).toMatch(
      /MVM on a: 3 clean images count.*SAP has no threshold.*With 3 clean images, 10 % of them is less than one/,
    );
  });

  it("says where an attack evades a detector with images that fool nobody", () => {
    const said = section?.notes.filter((note) => note.includes("do no harm")) ?? [];
    expect(said).toHaveLength(4); // two detectors, each evaded by two attacks
    expect(said[0]).toMatch(/^FGSM, ε 0.3 on a, made to evade MVM: of 3 images 1 fools the model\. The others do no harm/);
  });

  it("is left out without detectors, and shows reports of earlier versions", () => {
    expect(detectorSection([arm({ name: "a", defense: undefended, attacks }).report])).toEqual([]);
    const old = detectors.map(({ thresholds, positives, cleanImages, results, ...rest }) => ({
      ...rest,
      results: results.map(({ atRates, fooling, ...one }) => one),
    }));
    const [shown] = detectorSection([{ ...withDetectors("a").report, detectors: old }]);
    expect(shown?.tables).toHaveLength(1);
  });

  it("has no line for an attack that left no image to count", () => {
    const none = {
      ...separation([], clean, { threshold: 0, stops: [0, null] }),
      attack: "fgsm",
      adaptive: false,
      files: { scores: "" },
    };
    const [shown] = detectorSection([{ ...withDetectors("a").report, detectors: [{ ...scored("mvm", 0), results: [none] }] }]);
    expect(shown?.charts[0]?.series).toEqual([]);
    expect(shown?.tables[0]?.rows[0]?.slice(4, 10)).toEqual([0, null, null, null, null, null]);
  });
});

describe("rocCurve of detectors", () => {
  const arms = [withDetectors("a"), withDetectors("b")];
  const params = { of: "detectors", axis: "linear", apart: "none", resolution: 200 };
  it("shows several detectors and attacks on one chart, and their areas side by side", () => {
    const { charts, tables } = rocCurve.present(arms, params, facts(arms));
    expect(charts).toHaveLength(1);
    expect(charts[0]?.series).toHaveLength(2 * 2 * 4);
    expect(charts[0]?.series[1]?.label).toBe("a, MVM, FGSM, ε 0.3, evaded");
    expect(tables[0]?.columns.map(({ name }) => name)).toEqual([
      ...["arm", "detector", "FGSM, ε 0.3", "FGSM, ε 0.3, evading", "N pixel, 1 px", "N pixel, 1 px, evading"],
    ]);
    expect(tables[0]?.rows.map((row) => row.slice(0, 2))).toEqual([
      ["a", "MVM"],
      ["a", "SAP"],
      ["b", "MVM"],
      ["b", "SAP"],
    ]);
    expect(tables[0]?.rows[3]?.[3]).toBe(0.5);
  });

  it("has a chart for each detector where it is asked to", () => {
    const { charts } = rocCurve.present(arms, { ...params, apart: "detector" }, facts(arms));
    expect(charts.map(({ title }) => title)).toEqual(["ROC of MVM", "ROC of SAP"]);
    expect(charts[0]?.series[0]?.label).toBe("a, FGSM, ε 0.3");
  });

  it("measures nothing, and refuses an experiment without detectors or without attacks", async () => {
    expect(await rocCurve.measure?.(subject({}), params, createContext())).toEqual({ curves: [] });
    const none = { ...facts([]), attacks: facts(arms, [{ id: "fgsm", params: {} }]).attacks };
    expect(() => rocCurve.check?.(params, none)).toThrow(/no detector/);
    expect(() => rocCurve.check?.(params, { ...none, attacks: [], detectors: ["softmaxEntropy"] })).toThrow(/no attack/);
    expect(() => rocCurve.check?.({ ...params, of: "classes" }, none)).not.toThrow();
  });

  it("begins a logarithmic axis at the smallest rate, and bends the straight lines of ties there", () => {
    const points = [
      [0, 0],
      [0, 0.4],
      [0.5, 0.8],
      [1, 1],
    ].map(([x = 0, y = 0]) => ({ falsePositiveRate: x, truePositiveRate: y }));
    const bent = onAxis(points, "log", 0.01);
    expect(bent[0]).toEqual({ x: 0.01, y: expect.closeTo(0.408, 12) });
    expect(bent.at(-1)).toEqual({ x: 1, y: 1 });
    for (const { x, y } of bent) expect(y).toBeCloseTo(x < 0.5 ? 0.4 + 0.8 * x : 0.6 + 0.4 * x, 12);
    bent.slice(1).forEach(({ x }, i) => {
      expect(x).toBeGreaterThan(bent[i]?.x ?? 0);
    });
    const { charts } = rocCurve.present(arms, { ...params, axis: "log" }, facts(arms));
    expect(charts[0]?.x).toMatchObject({ scale: "log", range: [0.1, 1] });
    expect(charts[0]?.series[0]?.points[0]).toEqual({ x: 0.1, y: expect.closeTo(2 / 3, 12) });
  });
});
