import { expect, test } from "vitest";
import type { DetectorResult, RunReport } from "../../../src/shared/results.ts";
import { flaggedAt, flaggedTexts, spokenTrial, thresholdText, trialDetectors } from "../../../webview/report/threshold.ts";

const names = { arm: (name: string) => `arm ${name}`, attack: (key: string) => key.toUpperCase() };
// Clean scores 0, 0, 0, 1 and attacked ones 0, 2 (static) and 0, 1 (adaptive).
const points = (shares: readonly number[]) =>
  [0, 0, 0.25, 1].map((falsePositiveRate, i) => ({ falsePositiveRate, truePositiveRate: shares[i] ?? 0 }));
const against = { auc: null, interval: null, detected: null, files: { scores: "" }, attack: "fgsm", n: 2 };
const detector: DetectorResult = {
  ...{ id: "d", key: "d", label: "D", params: {}, threshold: 1, falsePositiveRate: 0.05, flaggedClean: 0, thresholdImages: 9 },
  cleanImages: 4,
  thresholds: [2, 1, 0, null],
  results: [
    { ...against, adaptive: false, points: points([0, 0.5, 0.5, 1]) },
    { ...against, adaptive: true, points: points([0, 0, 0.5, 1]) },
    { ...against, adaptive: false, n: 0, points: [] },
  ],
};
const report = (...detectors: DetectorResult[]) => ({ arms: [{ name: "a", detectors }] }) as unknown as RunReport;

test("a slider goes from flagging everything up to flagging nothing, and begins at the threshold that was chosen", () => {
  const [trial] = trialDetectors(report(detector), names);
  if (!trial) throw new Error("there is one");
  expect([trial.label, trial.stops, trial.first]).toEqual(["D", [null, 0, 1, 2], 2]);
  const counts = trial.stops.map((_, i) => flaggedAt(trial, i, names).map(({ flagged, n }) => [flagged, n]));
  expect(counts).toEqual([
    [
      [4, 4],
      [2, 2],
      [2, 2],
    ],
    [
      [1, 4],
      [1, 2],
      [1, 2],
    ],
    [
      [0, 4],
      [1, 2],
      [0, 2],
    ],
    [
      [0, 4],
      [0, 2],
      [0, 2],
    ],
  ]);
  expect(flaggedAt(trial, 1, names).map(({ name }) => name)).toEqual(["Clean images", "FGSM, does not know it", "FGSM, evades it"]);
});

test("without a chosen threshold it begins where nothing is flagged; reports of earlier versions have none", () => {
  expect(trialDetectors(report({ ...detector, threshold: null }), names)[0]?.first).toBe(3);
  const { thresholds, ...old } = detector;
  expect(trialDetectors(report(old), names)).toEqual([]);
  expect(trialDetectors(report({ ...detector, cleanImages: 0 }), names)).toEqual([]);
  const two = { arms: [...report(detector).arms, { name: "b", detectors: [detector] }] } as unknown as RunReport;
  expect(trialDetectors(two, names).map(({ label }) => label)).toEqual(["arm a, D", "arm b, D"]);
});

test("it is told in counts, shares and Wilson's interval, on the screen and to a screen reader", () => {
  expect(flaggedTexts({ name: "x", flagged: 5, n: 10 })).toEqual(["5 of 10", "50.0 %", "23.7–76.3 %"]);
  expect(thresholdText(null)).toBe("below every score");
  expect(spokenTrial(1, [{ name: "Clean images", flagged: 1, n: 4 }])).toBe("Threshold 1. Clean images: 1 of 4, 25.0 %");
});
