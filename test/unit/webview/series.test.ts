import { expect, test } from "vitest";
import type { RunEvent } from "../../../src/shared/events.ts";
import { accuracyPlot, lossPlot, partPlots } from "../../../webview/training/plots.ts";
import { summarize } from "../../../webview/training/series.ts";

const started: RunEvent = { t: 0, kind: "started", run: "r", title: "t", backend: "cpu", device: "CPU ×2", arms: ["a", "b"] };
const step = (arm: string, epoch: number, at: number, loss: number): RunEvent => ({
  t: epoch * 10 + at,
  kind: "step",
  arm,
  epoch,
  epochs: 2,
  step: at,
  steps: 10,
  loss,
  imagesPerSecond: 100,
});
const epoch = (arm: string, n: number, accuracy: number, rate: number | null): RunEvent => ({
  t: n * 10 + 10,
  kind: "epoch",
  arm,
  epoch: n,
  epochs: 2,
  trainLoss: 1 / n,
  trainAccuracy: null,
  validationLoss: 2 / n,
  validationAccuracy: accuracy,
  quickAttack: { id: "fgsm", successRate: rate },
  seconds: 10,
  imagesPerSecond: 90,
  memoryBytes: 1e8,
});

test("both arms are in both charts, places on the axis are epochs", () => {
  const summary = summarize([started, step("a", 1, 5, 2), step("a", 1, 10, 1), epoch("a", 1, 0.9, 0.5), step("b", 1, 10, 3)]);
  const [, loss] = lossPlot(summary, { log: false, smoothing: 0 });
  expect(loss.x).toEqual([0.5, 1]);
  expect(Object.fromEntries(loss.lines.map((l) => [l.label, l.y]))).toEqual({
    "a training": [2, 1],
    "a validation": [null, 2],
    "b training": [null, 3],
  });
  const [, accuracy] = accuracyPlot(summary);
  expect(Object.fromEntries(accuracy.lines.map((l) => [l.label, l.y]))).toEqual({
    "a clean accuracy": [0.9],
    "a fgsm success rate": [0.5],
  });
});

test("two lines of one arm share a colour and differ in dash; arms differ in colour", () => {
  const summary = summarize([started, step("a", 1, 10, 1), epoch("a", 1, 0.9, 0.5), step("b", 1, 10, 1)]);
  const [, { lines }] = lossPlot(summary, { log: false, smoothing: 0 });
  const [aTraining, aValidation, bTraining] = lines;
  expect(aTraining?.colour).toBe(aValidation?.colour);
  expect(lines.map((l) => l.isDashed ?? false)).toEqual([false, true, false]);
  expect(bTraining?.colour).not.toBe(aTraining?.colour);
});

test("each named part of the loss has a plot of its own, and so is the accuracy under the attack trained on", () => {
  const at = (n: number, clean: number, adversarial: number): RunEvent => ({
    ...(step("a", 1, n, clean + adversarial) as Extract<RunEvent, { kind: "step" }>),
    parts: { clean, rectification: -adversarial },
  });
  const attacked = { ...(epoch("a", 1, 0.9, 0.5) as Extract<RunEvent, { kind: "epoch" }>), attackedAccuracy: 0.7 };
  const summary = summarize([started, at(5, 1, 3), at(10, 0.5, 2), attacked, step("b", 1, 10, 1)]);
  const [, loss] = lossPlot(summary, { log: false, smoothing: 0 });
  expect(Object.fromEntries(loss.lines.map((l) => [l.label, l.y]))).toEqual({
    "a training": [4, 2.5],
    "a validation": [null, 2],
    "b training": [null, 1],
  });
  const parts = partPlots(summary, { log: true, smoothing: 0 });
  expect(parts.map(([axes, plot]) => [axes.title, axes.y, axes.log, plot.lines.map(({ label, y }) => [label, y])])).toEqual([
    ["Part of the loss: clean", "Clean", false, [["a", [1, 0.5]]]],
    ["Part of the loss: rectification", "Rectification", false, [["a", [-3, -2]]]],
  ]);
  const [, accuracy] = accuracyPlot(summary);
  expect(accuracy.lines.at(-1)).toMatchObject({ label: "a accuracy under the attack trained on", y: [0.7] });
});

test("smoothing keeps the raw line, faint", () => {
  const summary = summarize([started, step("a", 1, 5, 4), step("a", 1, 10, 8)]);
  const [, { lines }] = lossPlot(summary, { log: false, smoothing: 0.5 });
  expect(lines.map((l) => [l.label, l.faint ?? false, l.y])).toEqual([
    ["a training, unsmoothed", true, [4, 8]],
    ["a training", false, [4, 20 / 3]],
  ]);
});

test("steps and epochs that ran twice after a resume count once, the later run of them", () => {
  const resumed: RunEvent = { t: 30, kind: "resumed", run: "r", backend: "cpu", device: "CPU ×2" };
  const events = [
    started,
    step("a", 1, 10, 5),
    epoch("a", 1, 0.5, null),
    step("a", 2, 3, 4),
    step("a", 2, 6, 3),
    resumed,
    step("a", 2, 3, 2.5),
    step("a", 2, 6, 2),
  ];
  const [arm] = summarize([...events, epoch("a", 1, 0.6, null)]).arms;
  expect(arm?.steps).toEqual([
    { at: 1, loss: 5 },
    { at: 1.3, loss: 2.5 },
    { at: 1.6, loss: 2 },
  ]);
  expect(arm?.epochs.map((e) => e.validationAccuracy)).toEqual([0.6]);
});

test("a loss that is no number is marked where it happened, with the finding's text", () => {
  // JSON writes NaN as null.
  const bad = JSON.parse(JSON.stringify(step("a", 2, 4, Number.NaN))) as RunEvent;
  const error = { code: "TRAINING_DIVERGED" as const, message: "The loss of a became NaN.", fix: "Smaller steps.", detail: undefined };
  const summary = summarize([started, step("a", 1, 10, 5), bad, { t: 30, kind: "failed", error }]);
  expect(summary.diverged).toEqual({ arm: "a", at: 1.4, text: "The loss of a became NaN." });
  const [, plot] = lossPlot(summary, { log: false, smoothing: 0.6 });
  expect(plot.marks).toEqual([{ x: 1.4, text: "Diverged", severe: true }]);
  for (const { y } of plot.lines) expect(y.some((v) => Number.isNaN(v))).toBe(false);
});

test("a logarithmic axis leaves out what has no logarithm", () => {
  const summary = summarize([started, step("a", 1, 5, 0), step("a", 1, 10, 0.5)]);
  const [, { lines }] = lossPlot(summary, { log: true, smoothing: 0 });
  expect(lines[0]?.y).toEqual([null, 0.5]);
});

test("header figures are the newest ones", () => {
  const progress: RunEvent = { t: 12, kind: "progress", phase: "Training b", done: 1, total: 2, etaSeconds: 42, overall: 0.5 };
  const summary = summarize([started, epoch("a", 1, 0.9, 0.5), step("b", 2, 1, 1), progress]);
  expect(summary).toMatchObject({
    arm: "b",
    epoch: { now: 2, of: 2 },
    imagesPerSecond: 100,
    memoryBytes: 1e8,
    etaSeconds: 42,
    overall: 0.5,
    device: "CPU ×2",
    phase: "Training b",
  });
  expect(summarize([started, { t: 1, kind: "done", report: "report.json" }])).toMatchObject({ hasReport: true, overall: 1 });
});

test("attention of an epoch that ran twice counts once, in the order of the epochs", () => {
  const attention = (n: number, file: string): RunEvent => ({ t: n, kind: "attention", arm: "a", epoch: n, images: [{ index: 3, file }] });
  const { arms } = summarize([started, attention(1, "x"), attention(2, "y"), attention(2, "z")]);
  expect(arms[0]?.attention.map((a) => [a.epoch, a.images[0]?.file])).toEqual([
    [1, "x"],
    [2, "z"],
  ]);
});

test("the quick attack has the name that says how strong it is", () => {
  const event = epoch("a", 1, 0.9, 0.5);
  const named = event.kind === "epoch" ? { ...event, quickAttack: { id: "nPixel", name: "1-pixel attack", successRate: 0.25 } } : event;
  const [, { lines }] = accuracyPlot(summarize([started, named]));
  expect(lines.map((l) => l.label)).toEqual(["a clean accuracy", "a 1-pixel attack success rate"]);
});
