import { expect, test } from "vitest";
import type { CardState } from "../../../src/shared/cards.ts";
import type { PatchRanking } from "../../../src/shared/protocol.ts";
import { fittingSides, nearestSides, sideRange, slicesOf, usualSide } from "../../../src/shared/slices.ts";
import { type Flow, follow, nextRequest, paperSettings, type RankingSettings } from "../../../webview/inspector/cards/rankingFlow.ts";
import { scoreFigure } from "../../../webview/inspector/cards/scoreChart.ts";
import { cutProblem, cutText, movedSlices, placesOf, sliceAt } from "../../../webview/inspector/cards/slices.ts";

const ranking = (perm: number[], scores: (number | string)[]): PatchRanking => ({
  Z: 4,
  patch: 14,
  perm,
  scores,
  reference: null,
  manyTies: false,
  slices: [],
  columns: 2,
  rows: 2,
});

test("places follow the permutation, scores are by slice, infinities survive JSON", () => {
  expect(placesOf(ranking([2, 0, 3, 1], [0.5, 0.1, "Infinity", 0.2]))).toEqual([
    { place: 1, slice: 2, score: Number.POSITIVE_INFINITY },
    { place: 2, slice: 0, score: 0.5 },
    { place: 3, slice: 3, score: 0.2 },
    { place: 4, slice: 1, score: 0.1 },
  ]);
});

test("moved slices are told with the place they came from", () => {
  const moved = movedSlices(ranking([2, 0, 3, 1], []), ranking([2, 3, 0, 1], []));
  expect([...moved]).toEqual([
    [3, 3],
    [0, 2],
  ]);
});

test("a pixel lies in the slice of its row and column", () => {
  expect(sliceAt(ranking([], []), 13, 14)).toBe(1);
  expect(sliceAt(ranking([], []), 27, 0)).toBe(2);
  expect(sliceAt(ranking([], []), 28, 0)).toBeNull();
});

test("sizes that fit divide both sides into no more slices than one can look at", () => {
  expect(fittingSides(28, 28)).toEqual([1, 2, 4, 7, 14]);
  expect(fittingSides(32, 48)).toEqual([2, 4, 8, 16]); // 1 would make 1536 slices
  expect(fittingSides(480, 640)).toEqual([20, 32, 40, 80, 160]); // 16 would make 1200, 20 makes 768
  expect(fittingSides(333, 500)).toEqual([]);
  expect(slicesOf(5, 28, 28)).toBe(36);
});

test("nearest sizes lie on both sides where there are two", () => {
  expect(nearestSides(5, 28, 28)).toEqual([4, 7]);
  expect(nearestSides(15, 28, 28)).toEqual([14]);
  expect(nearestSides(5, 333, 500)).toEqual([]);
});

test("where nobody chose, there are at least 16 slices", () => {
  expect(usualSide(28, 28)).toBe(7);
  expect(usualSide(32, 32)).toBe(8);
  expect(usualSide(480, 640)).toBe(80); // 48 slices; 160 would leave 12
  expect(usualSide(3, 3)).toBe(1);
  expect(usualSide(333, 500)).toBeNull();
});

test("the slider ends where slices become too many or too large", () => {
  expect(sideRange(28, 28)).toEqual({ min: 1, max: 14 });
  expect(sideRange(64, 64)).toEqual({ min: 2, max: 32 });
});

const settings = (change: Partial<RankingSettings> = {}): RankingSettings => ({ ...paperSettings([28, 28]), ...change });
const state = (status: "running" | "done", now: RankingSettings): CardState<"ranking"> => ({
  status,
  params: now,
  result: null,
  error: null,
});

test("a size that leaves pixels over is refused with the sizes beside it", () => {
  expect(cutProblem(settings(), [28, 28])).toBeNull();
  const problem = cutProblem(settings({ patch: 5 }), [28, 29]);
  expect(problem?.message).toBe(
    "Slices of 5 × 5 do not divide 29 × 28 pixels: 3 rows of pixels and 4 columns of pixels would be left over.",
  );
  expect(cutProblem(settings({ patch: 5 }), [28, 28])).toMatchObject({ sides: [4, 7], canPad: true });
  expect(cutProblem(settings({ patch: 9 }), [27, 28])?.message).toContain(": 1 column of pixels would");
  expect(cutProblem(settings({ patch: 5, onRemainder: "reflectPad" }), [28, 28])).toBeNull();
  expect(cutProblem(settings({ patch: 40 }), [28, 28])).toMatchObject({ sides: [14], canPad: false });
  expect(cutText(7, [28, 28])).toBe("7 × 7, 16 slices");
});

test("the first settings are the paper's; an image that nothing divides is padded", () => {
  const paper = { measure: "mutualInformation", order: "asc", reference: "mostSalient" };
  expect(paperSettings([28, 28])).toEqual({ ...paper, patch: 7, onRemainder: "error" });
  expect(paperSettings([333, 500])).toEqual({ ...paper, patch: 83, onRemainder: "reflectPad" });
});

test("while one ranking is under way only the newest wish is kept, and what cannot be cut is not asked for", () => {
  const flow: Flow = { wish: settings(), asked: null };
  expect(nextRequest(flow, undefined, null)).toBeNull();
  expect(nextRequest(flow, undefined, [28, 28])).toEqual(settings());
  flow.asked = settings();
  flow.wish = settings({ patch: 14 });
  expect(nextRequest(flow, state("running", settings()), [28, 28])).toBeNull();
  expect(nextRequest(flow, state("done", settings()), [28, 28])).toEqual(settings({ patch: 14 }));
  flow.asked = flow.wish;
  expect(nextRequest(flow, state("done", flow.asked), [28, 28])).toBeNull();
  flow.wish = settings({ patch: 5 });
  expect(nextRequest(flow, state("done", flow.asked), [28, 28])).toBeNull();
});

test("settings that a command asked for take the place of the wish; those of an own request do not", () => {
  const flow: Flow = { wish: settings({ patch: 14 }), asked: settings() };
  follow(flow, state("running", settings()), false);
  expect(flow.wish).toEqual(settings({ patch: 14 }));
  follow(flow, state("done", settings({ measure: "ssim" })), false);
  expect(flow.wish).toEqual(settings({ measure: "ssim" }));
  expect(nextRequest(flow, state("done", settings({ measure: "ssim" })), [28, 28])).toBeNull();
  // A command leaves the size to the engine: there is nothing to follow before it has come back.
  follow(flow, { ...state("running", settings()), params: { ...settings(), patch: "auto" } }, false);
  expect(flow.wish).toEqual(settings({ measure: "ssim" }));
});

test("a new attack is ranked with the same settings, once", () => {
  const flow: Flow = { wish: settings(), asked: settings() };
  expect(nextRequest(flow, undefined, [28, 28])).toBeNull();
  follow(flow, undefined, true);
  expect(nextRequest(flow, undefined, [28, 28])).toEqual(settings());
  flow.asked = settings();
  follow(flow, undefined, false);
  expect(nextRequest(flow, undefined, [28, 28])).toBeNull();
});

test("the chart has a line for each image and names the unit", () => {
  const [clean, attacked] = [ranking([2, 0, 3, 1], [0.5, 0.1, "Infinity", 0.2]), ranking([0, 1, 2, 3], [1, 2, 3, 4])];
  const { y, series } = scoreFigure({ directory: "", image: "", clean, attacked }, clean, settings());
  expect([y.label, y.unit]).toEqual(["Mutual information", "bits"]);
  const places = (values: readonly (number | null)[]) => values.map((value, i) => ({ x: i + 1, y: value }));
  expect(series.map((one) => [one.label, one.points])).toEqual([
    ["Clean image", places([null, 0.5, 0.2, 0.1])],
    ["Attacked image", places([1, 2, 3, 4])],
  ]);
});
