import { expect, test } from "vitest";
import type { InspectorState } from "../../../src/shared/panels.ts";
import type { PatchRanking, TracePoint } from "../../../src/shared/protocol.ts";
import { states } from "../../../webview/fixtures/inspector.ts";
import { after8Bit, applyUpdate, attackLabel, keptIterate, shownPictures, verdict } from "../../../webview/inspector/model.ts";
import { divisors, movedSlices, placesOf } from "../../../webview/inspector/parts/slices.ts";
import { fileUrl } from "../../../webview/lib/connect.ts";

const named = (name: string): InspectorState => {
  const state = states[name];
  if (!state) throw new Error(`no state ${name}`);
  return state;
};
const done = named("done");
const point = (iteration: number, image: string | null): TracePoint => ({
  iteration,
  trueProbability: 0.5,
  otherProbability: 0.4,
  otherClass: 3,
  image,
});

test("the verdict is said in words", () => {
  expect(verdict(done)).toEqual({ kind: "fooled", text: "seven (0.998) → three (0.871): the attack succeeded." });
  expect(verdict(named("resisted"))).toEqual({ kind: "resisted", text: "Resisted: still seven (0.998)." });
  expect(verdict(named("running")).kind).toBe("running");
  expect(verdict({ ...named("running"), status: "cancelled" }).kind).toBe("none");
  if (!done.result) throw new Error("the fixture has a result");
  const wrong = { ...done, result: { ...done.result, label: { index: 1, name: "one", probability: 0 } } };
  expect(verdict(wrong)).toEqual({ kind: "wrong", text: "Wrong without an attack: one taken for seven (0.998)." });
});

test("rounding to 8 bits is spoken of only where there was a success", () => {
  if (!done.result) throw new Error("the fixture has a result");
  expect(after8Bit(done.result)?.holds).toBe(true);
  expect(after8Bit({ ...done.result, successAfter8Bit: false })?.holds).toBe(false);
  expect(after8Bit({ ...done.result, success: false })).toBeNull();
});

test("an iteration without a kept picture shows the one before it", () => {
  const trace = [point(0, "0.png"), point(1, null), point(2, "2.png"), point(3, null)];
  expect(keptIterate(trace, 3)?.image).toBe("2.png");
  expect(keptIterate(trace, 1)?.image).toBe("0.png");
  expect(keptIterate([point(0, null)], 0)).toBeNull();
});

test("pictures follow the attack, then the result, then the scrubber", () => {
  const running = { ...named("running"), trace: [point(0, "0.png"), point(1, "1.png")] };
  expect(shownPictures(running, null)).toMatchObject({ clean: "/pictures/clean-0.png", adversarial: "/pictures/1.png", iteration: 1 });
  expect(shownPictures(done, null)).toMatchObject({ adversarial: "/pictures/adversarial-0.png", iteration: null });
  expect(shownPictures(done, 12)).toMatchObject({ adversarial: "/pictures/iterate-0-10.png", iteration: 10 });
  expect(shownPictures(named("empty"), null)).toMatchObject({ clean: "/pictures/clean-0.png", adversarial: null });
});

test("updates add to the state", () => {
  const next = applyUpdate(named("empty"), { kind: "iteration", done: 3, total: 40, point: point(3, null) });
  expect(next.trace).toHaveLength(1);
  expect(next.progress).toEqual({ done: 3, total: 40 });
});

test("the header names the attack and its radius", () => {
  expect(attackLabel({ ...done, attack: { id: "pgd", params: { eps: 8 / 255 } } })).toBe("Projected gradient descent · ε 8/255");
  expect(attackLabel({ ...done, attack: { id: "other", params: {} } })).toBe("other");
});

test("addresses of files", () => {
  expect(fileUrl("https://host/run", "images/a.png")).toBe("https://host/run/images/a.png");
  expect(fileUrl("https://host/run", "data:image/png;base64,xx")).toBe("data:image/png;base64,xx");
});

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

test("patches that fit divide both sides", () => {
  expect(divisors(28, 28)).toEqual([2, 4, 7, 14]);
  expect(divisors(32, 48)).toEqual([2, 4, 8, 16]);
});
