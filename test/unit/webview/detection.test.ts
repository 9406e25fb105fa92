import { describe, expect, it } from "vitest";
import type { CardState } from "../../../src/shared/cards.ts";
import type { CalibrationResult, DetectedSide, DetectionResult } from "../../../src/shared/detectionCards.ts";
import {
  cleanScores,
  detectionVerdict,
  isOneVote,
  probabilityText,
  scaleEnd,
  thresholdOf,
  thresholdText,
  unitFacts,
  votesFigure,
} from "../../../webview/inspector/detection.ts";

const mvm = { id: "varianceMinimization", params: { ratio: 1, runs: 100 } };
const classes = Array.from({ length: 10 }, (_, index) => `class ${index}`);
const side = (prediction: number, score: number, votes: readonly number[] | null): DetectedSide => ({
  image: "clean.png",
  prediction: { index: prediction, name: `class ${prediction}`, probability: 0.9 },
  score,
  votes: votes?.flatMap((count, index) => (count > 0 ? [{ index, name: `class ${index}`, votes: count }] : [])) ?? null,
  scores: classes.map((name, index) => ({ index, name, probability: index === prediction ? 0.91 : 0.01 })),
  units: [],
});
const result = (clean: DetectedSide, adversarial: DetectedSide | null, detector = mvm): DetectionResult => ({
  fitted: { notes: [], fit: null },
  detector,
  iteration: null,
  classes: 10,
  passes: 101,
  seconds: 0.3,
  largest: [],
  clean,
  adversarial,
});
// −0.97·ln 0.97 − 0.03·ln 0.03 = 0.134742 nats.
const attacked = result(side(7, 0.134742, [0, 0, 0, 0, 0, 0, 0, 97, 0, 3]), side(3, 1.2, [5, 5, 5, 40, 5, 5, 5, 20, 5, 5]));
const calibration: CalibrationResult = { detector: mvm, name: "the test images of mnist", n: 22, scores: [...Array(18).fill(0), 0.2, 0.5] };
const cardOf = (found: CalibrationResult): CardState<"calibration"> => ({
  status: "done",
  params: { detector: found.detector, data: "mnist", images: 22 },
  result: found,
  error: null,
});

describe("the threshold", () => {
  it("is the one that is set, or the smallest that flags no more clean images than wanted, or none", () => {
    expect(thresholdOf({ value: 0.7 }, null)).toBe(0.7);
    expect(thresholdOf({ falsePositiveRate: 0.05 }, null)).toBeNull();
    expect(thresholdOf({ falsePositiveRate: 0 }, calibration)).toBe(0.5);
    expect(thresholdOf({ falsePositiveRate: 0.05 }, calibration)).toBe(0.2); // one of 20 lies above
    expect(thresholdOf({ falsePositiveRate: 0.1 }, calibration)).toBe(0);
  });

  it("says where it comes from, and how sure that is", () => {
    // Wilson, 1 of 20: 0.9 % to 23.6 %.
    expect(thresholdText({ falsePositiveRate: 0.05 }, calibration, "nats")).toBe(
      "Threshold 0.2 nats, the smallest that flags at most 5 % of 20 clean images. Above it: 1 of 20 (5.0 %, 95 % interval 0.9 % to 23.6 %). The images: the test images of mnist, 20 of 22, those that are classified correctly.",
    );
    expect(thresholdText({ value: 0.7 }, null, "nats")).toBe(
      "Threshold 0.7 nats, set by hand. How many clean images lie above it is not known.",
    );
    expect(thresholdText({ falsePositiveRate: 0.05 }, null, "nats")).toBe("");
    expect(thresholdText({ falsePositiveRate: 0.05 }, { ...calibration, scores: [] }, "nats")).toMatch(
      /^The network classifies none of 22 images correctly/,
    );
  });

  it("is not taken from scores of another detector or other settings", () => {
    expect(cleanScores(attacked, undefined)).toEqual({ scores: null, isOther: false });
    expect(cleanScores(attacked, cardOf(calibration))).toEqual({ scores: calibration, isOther: false });
    const turned = { ...calibration, detector: { ...mvm, params: { runs: 100, ratio: 1 } } };
    expect(cleanScores(attacked, cardOf(turned)).isOther).toBe(false);
    const other = { ...calibration, detector: { ...mvm, params: { ...mvm.params, ratio: 0.5 } } };
    expect(cleanScores(attacked, cardOf(other))).toEqual({ scores: null, isOther: true });
  });
});

describe("the verdict", () => {
  const kinds = (threshold: number | null): string => detectionVerdict(attacked, threshold).kind;
  it("needs a score above the threshold: at it, an image is not flagged", () => {
    expect([kinds(0.5), kinds(0.134742), kinds(0.1), kinds(1.2), kinds(null)]).toEqual(["caught", "caught", "alarm", "missed", "none"]);
    const reversed = result(attacked.adversarial as DetectedSide, attacked.clean);
    expect(detectionVerdict(reversed, 0.5)).toEqual({
      kind: "alarm",
      text: "Missed: the attacked image passes as clean, and the clean one is flagged by a false alarm (clean: 1.2 nats, the attacked image: 0.135 nats, threshold: 0.5).",
    });
  });

  it("is said in words, with both scores", () => {
    expect(detectionVerdict(attacked, 0.5, "iteration 5").text).toBe(
      "Caught: iteration 5 is flagged, the clean one is not (clean: 0.135 nats, iteration 5: 1.2 nats, threshold: 0.5).",
    );
    expect(detectionVerdict(attacked, null).text).toMatch(/^No verdict without a threshold \(clean: 0.135 nats/);
    expect(detectionVerdict(result(attacked.clean, null), 0.5)).toEqual({
      kind: "passed",
      text: "Not flagged: taken for a clean image (clean: 0.135 nats, threshold: 0.5).",
    });
    expect(detectionVerdict(result(attacked.clean, null), 0.1).kind).toBe("alarm");
  });

  it("is not given by a single vote", () => {
    const once = result(side(7, 0, [0, 0, 0, 0, 0, 0, 0, 1]), side(3, 0, [0, 0, 0, 1]));
    expect(isOneVote(once)).toBe(true);
    expect(isOneVote(attacked)).toBe(false);
    expect(detectionVerdict(once, 0.2)).toEqual({ kind: "none", text: expect.stringContaining("one pass gives one vote") });
  });

  it("has no unit where a score is a detector's own", () => {
    const own = result(side(7, 3, null), null, { id: "own", params: {} as typeof mvm.params });
    expect(detectionVerdict(own, 2).text).toBe("Flagged as adversarial (clean: 3, threshold: 2).");
    expect(scaleEnd(own, 2)).toBe(3);
  });
});

it("the scale ends at the largest entropy that so many votes can have", () => {
  expect(scaleEnd(attacked, null)).toBeCloseTo(Math.log(10), 12);
  const few = result(side(7, 0.5, [0, 0, 0, 0, 1, 0, 0, 4]), null);
  expect(scaleEnd(few, null)).toBeCloseTo(Math.log(5), 12); // five votes
  expect(scaleEnd(few, 4)).toBe(4);
  expect(scaleEnd(result(side(7, 0, [0, 1]), null), 0)).toBe(1); // an empty scale would have no length
});

describe("the chart of votes", () => {
  it("names the label and the predictions, always shows them, and puts the rest into one bar", () => {
    const figure = votesFigure(attacked, { label: 9 });
    expect(figure.title).toBe("Votes of 100 passes by class");
    expect(figure.value.range).toEqual([0, 100]);
    expect(figure.groups.names).toEqual([
      "class 7 (predicted for clean)",
      "class 3 (predicted for adversarial)",
      "class 0",
      "class 1",
      "class 2",
      "class 4",
      "class 9 (label)",
      "3 other classes",
    ]);
    expect(figure.series.map(({ label, values }) => [label, values.map((one) => one?.y)])).toEqual([
      ["Clean", [97, 0, 0, 0, 0, 0, 3, 0]],
      ["Adversarial", [20, 40, 5, 5, 5, 5, 5, 15]],
    ]);
    for (const { values } of figure.series) expect(values.reduce((sum, one) => sum + (one?.y ?? 0), 0)).toBe(100);
  });

  it("shows the model's own probabilities where nobody votes", () => {
    const plain = votesFigure(result(side(7, 0.1, null), null), { label: 7 });
    expect([plain.title, plain.value.label, plain.series.length]).toEqual(["Probabilities by class", "Probability", 1]);
    expect(plain.groups.names[0]).toBe("class 7 (label, predicted)");
    expect(plain.series[0]?.values[0]).toEqual({ y: 0.91 });
  });

  it("says first what a long name is there for, as a narrow chart cuts it", () => {
    const name = "West Highland white terrier, Westie";
    const long = { ...side(1, 0, null), scores: [{ index: 1, name, probability: 1 }] };
    expect(votesFigure(result(long, null), { label: 1 }).groups.names).toEqual([`Label, predicted: ${name}`]);
  });

  it("says predicted once where both pictures have one prediction", () => {
    const same = votesFigure(result(side(7, 0, [0, 0, 0, 0, 0, 0, 0, 10]), side(7, 0, [0, 0, 0, 0, 0, 0, 0, 10])), { label: null });
    expect(same.groups.names).toEqual(["class 7 (predicted)"]);
  });
});

it("a unit says its size, its draws, and what it keeps of what is active", () => {
  const unit = { layer: "relu_1", rows: 676, channels: 64, c: 784, kept: 0.45, active: 0.9, map: null };
  expect(unitFacts(unit, { ...unit, c: null, kept: 0, active: 0 })).toEqual([
    ["Rows of the map", "676", "676"],
    ["Channels", "64", "64"],
    ["Draws of a pass (c)", "784", "none counted"],
    ["Active: not 0", "90.0 %", "0.0 %"],
    ["Kept in a pass", "45.0 %", "0.0 %"],
    ["Kept of what is active", "50.0 %", "–"],
  ]);
  expect(probabilityText(unit, 0.0102)).toBe(
    "Probability of each place of relu_1 in one draw: the largest is 0.0102; all alike would be 0.00148.",
  );
});
