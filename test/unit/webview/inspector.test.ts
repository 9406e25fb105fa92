import { expect, test } from "vitest";
import type { InspectorState } from "../../../src/shared/panels.ts";
import type { TracePoint } from "../../../src/shared/protocol.ts";
import { states } from "../../../webview/fixtures/inspector.ts";
import {
  after8Bit,
  applyUpdate,
  attackLabel,
  classesText,
  estimateText,
  fitOf,
  keptOf,
  labelLine,
  lastPlace,
  likeliest,
  nearestKept,
  outcome,
  pictureNotes,
  placeText,
  progressText,
  radiusText,
  scorePairs,
  shownOf,
  subtitle,
  targetLine,
  verdict,
} from "../../../webview/inspector/model.ts";
import { fileUrl } from "../../../webview/lib/connect.ts";

const named = (name: string): InspectorState => {
  const state = states[name];
  if (!state) throw new Error(`no state ${name}`);
  return state;
};
const done = named("done");
const point = (iteration: number, isKept = true): TracePoint => ({
  iteration,
  trueProbability: 0.5,
  otherProbability: 0.4,
  otherClass: 3,
  step: isKept ? { image: `${iteration}.png`, norms: { linf: iteration / 10, l2: iteration, l0: iteration }, scores: [] } : null,
});
const verdictOf = (state: InspectorState, scrub: number | null = null) => verdict(state, shownOf(state, scrub));

test("the verdict is said in words", () => {
  expect(verdictOf(done)).toEqual({ kind: "fooled", text: "seven (0.998) → three (0.871): the attack succeeded." });
  expect(verdictOf(named("resisted"))).toEqual({ kind: "resisted", text: "Resisted: still seven (0.998)." });
  expect(verdictOf(named("running")).kind).toBe("running");
  expect(verdictOf({ ...named("running"), status: "cancelled" })).toEqual({ kind: "none", text: "Cancelled; no result." });
  if (!done.result) throw new Error("the fixture has a result");
  const wrong = { ...done, result: { ...done.result, label: { index: 1, name: "one", probability: 0 } } };
  expect(verdictOf(wrong).kind).toBe("alreadyWrong");
  expect(verdictOf(named("alreadyWrong")).text).toBe("Already wrong before the attack: one predicted as seven (0.998).");
  expect(verdictOf(named("repaired"))).toEqual({
    kind: "repaired",
    text: "Repaired: seven (0.998) → three (0.871), which is the label. No success of the attack.",
  });
  expect(verdictOf(named("noLabel")).text).toBe("seven (0.998) → three (0.871): the model's own prediction changed (no label).");
  expect(verdictOf(named("targetReached"))).toEqual({ kind: "reached", text: "seven (0.998) → three (0.871): target class reached." });
});

test("where the class names come from is said", () => {
  expect(classesText(done)).toBe("Classes: labels.txt");
  expect(classesText(named("assumed"))).toBe("Classes: ImageNet, assumed");
  if (!done.result) throw new Error("the fixture has a result");
  expect(classesText({ ...done, result: { ...done.result, classNamesSource: null } })).toBe("Classes without names");
  expect(classesText(named("explained"))).toBe("Class names");
});

test("whose label counts is said, and where it comes from", () => {
  expect(labelLine(done)).toBe("Label: seven, from the folder.");
  expect(labelLine(named("alreadyWrong"))).toBe("Label: one, from labels.csv.");
  expect(labelLine(named("repaired"))).toBe("Label: three, chosen by hand.");
  expect(labelLine(named("noLabel"))).toBe("No label: attacking the model's own prediction.");
  expect(labelLine(named("empty"))).toBe("");
  expect(labelLine({ ...named("empty"), label: { index: 4, name: "four" } })).toBe("Label: four, chosen by hand.");
});

test("a target given by its number is named, where its class has a name", () => {
  expect(targetLine(3, done.result)).toBe("Target 3 is “three”.");
  for (const target of [-1, "random", 99, undefined]) expect(targetLine(target, done.result)).toBe("");
  expect(targetLine(3, null)).toBe("");
});

test("rounding to 8 bits is spoken of only where there was a success", () => {
  if (!done.result) throw new Error("the fixture has a result");
  expect(after8Bit(done.result)?.holds).toBe(true);
  expect(after8Bit({ ...done.result, successAfter8Bit: false })?.holds).toBe(false);
  expect(after8Bit({ ...done.result, success: false })).toBeNull();
  expect(after8Bit({ ...done.result, repaired: true })?.text).toBe(
    "After rounding to 8 bits: still adversarial (moved to whole 8-bit levels, as rounding alone would have undone it).",
  );
});

test("only iterations that were kept can be chosen; between two the nearer one, the earlier of equals", () => {
  const kept = keptOf({ ...named("running"), trace: [point(0), point(1, false), point(2), point(3, false), point(8)] });
  expect(kept.map(({ iteration }) => iteration)).toEqual([0, 2, 8]);
  expect(nearestKept(kept, 3)?.iteration).toBe(2);
  expect(nearestKept(kept, 1)?.iteration).toBe(0);
  expect(nearestKept(kept, 5)?.iteration).toBe(2);
  expect(nearestKept([], 5)).toBeNull();
});

test("what is shown follows the attack, then is the result", () => {
  const running = { ...named("running"), trace: [point(0), point(1)] };
  expect(shownOf(running, null)).toMatchObject({ clean: "/pictures/clean-0.png", adversarial: "/pictures/1.png", iteration: 1 });
  expect(shownOf(done, null)).toMatchObject({
    adversarial: "/pictures/adversarial-0.png",
    iteration: null,
    norms: { linf: 0.3, l2: 4.12 },
  });
  expect(shownOf(named("empty"), null)).toMatchObject({ clean: "/pictures/clean-0.png", adversarial: null, norms: null, scores: [] });
});

test("scrubbing moves picture, norms, classes and verdict together", () => {
  // The fixture keeps every fifth of 40 iterations; its label falls below one half at iteration 14.
  const early = shownOf(done, 9);
  expect(early).toMatchObject({ adversarial: "/pictures/iterate-0-10.png", iteration: 10, norms: { linf: 0.1, l2: 1.03 } });
  expect(early.scores[0]?.name).toBe("seven");
  expect(verdictOf(done, 10)).toEqual({ kind: "resisted", text: "Iteration 10: still seven (0.790)." });
  expect(verdictOf(done, 20)).toEqual({ kind: "fooled", text: "Iteration 20: seven (0.998) → three (0.793)." });
  const clean = [
    { index: 7, name: "seven", probability: 0.9 },
    { index: 3, name: "three", probability: 0.1 },
  ];
  expect(scorePairs(clean, shownOf(done, 20).scores).map(({ name, before }) => [name, before])).toEqual([
    ["seven", 0.9],
    ["three", 0.1],
  ]);
});

test("the target class is on show however unlikely it is, once", () => {
  const pairs = Array.from({ length: 12 }, (_, index) => ({ name: `class ${index}`, index, before: 0, after: 1 / (index + 2) }));
  const shown = (target?: number) => likeliest(pairs, 5, target).map(({ index }) => index);
  expect(shown()).toEqual([0, 1, 2, 3, 4]);
  expect(shown(9)).toEqual([0, 1, 2, 3, 4, 9]);
  expect(shown(2)).toEqual([0, 1, 2, 3, 4]);
});

test("a defence is told with both predictions", () => {
  const result = done.cards.defense?.result;
  if (!result) throw new Error("the fixture has a defence");
  expect(outcome(result)).toBe(
    "Without → with the defence. Clean: seven (0.998) → seven (0.981). Adversarial: three (0.871) → seven (0.612).",
  );
  expect(outcome({ ...result, adversarial: null })).toBe("Without → with the defence. Clean: seven (0.998) → seven (0.981).");
});

test("updates add to the state", () => {
  const next = applyUpdate(named("empty"), { kind: "iteration", done: 3, total: 40, point: point(3, false) });
  expect(next.trace).toHaveLength(1);
  expect(next.progress).toEqual({ done: 3, total: 40 });
  const card = done.cards.attention;
  if (!card) throw new Error("the fixture has an attention card");
  const changed = applyUpdate(done, { kind: "card", id: "attention", card: { ...card, status: "running" } });
  expect(changed.cards.attention?.status).toBe("running");
  expect(changed.cards.ranking).toBe(done.cards.ranking);
});

test("the header calls the attack as it calls itself, and by its title before there is a result", () => {
  expect(attackLabel(done)).toBe("PGD-40, ε 0.3");
  expect(attackLabel({ ...done, result: null })).toBe("Projected gradient descent");
  expect(attackLabel({ ...done, result: null, attack: { id: "other", params: {} } })).toBe("other");
  expect(subtitle(named("through"))).toBe("lenet (quickstart) · PGD-40, ε 0.3 · through Bit depth reduction, Median filter");
  expect(subtitle(named("explained"))).toBe("lenet (quickstart)");
});

test("addresses of files", () => {
  expect(fileUrl("https://host/run", "images/a.png")).toBe("https://host/run/images/a.png");
  expect(fileUrl("https://host/run", "data:image/png;base64,xx")).toBe("data:image/png;base64,xx");
});

test("what was done to the picture is said in a sentence each", () => {
  const sentence = "Colour converted to grayscale. Resized from 480×640 to 28×28, centre crop.";
  expect(pictureNotes(done)).toBe(sentence);
  expect(pictureNotes(named("ranked"))).toBe("Turned upright by its EXIF orientation.");
  expect(pictureNotes(named("empty"))).toBe("");
});

test("an image that was only ranked or explained is not said to have resisted", () => {
  for (const name of ["ranked", "explained"]) expect(verdictOf(named(name))).toEqual({ kind: "none", text: "Not attacked yet." });
});

test("what a long attack takes is said in two digits, with the time left while it runs", () => {
  const estimate = { label: "PGD-4000, ε 8/255", evaluations: 4000, seconds: 183 };
  expect(estimateText(estimate)).toBe("PGD-4000, ε 8/255 takes about 4000 evaluations of the model, 3 min.");
  expect(estimateText({ ...estimate, evaluations: 40_401, seconds: 22 })).toContain("about 40\u202f000 evaluations of the model, 20 s.");
  expect(estimateText({ ...estimate, seconds: 4000 })).toContain("1 h 10 min");
  expect(progressText({ done: 17, total: 40, secondsLeft: 74 })).toBe("43 %, about 1 min left");
  expect(progressText({ done: 17, total: 40 })).toBe("43 %");
});

test("the radius stands beside the verdict, in n/255 where it is one", () => {
  expect(radiusText(done)).toBe("ε 0.3");
  const result = done.result && { ...done.result, attack: { id: "pgd", params: { eps: 8 / 255 } } };
  expect(radiusText({ ...done, result })).toBe("ε 8/255");
  expect(radiusText(named("empty"))).toBe("");
});

test("the fit is that of the attack, or of the cards where nothing was attacked", () => {
  expect(fitOf(done)).toMatchObject({ rule: "cover", from: [480, 640] });
  expect(fitOf(named("empty"))).toBeNull();
  const { attention } = named("explained").cards;
  const fitted = { notes: ["resized"], fit: { rule: "fill", from: [5, 6], to: [28, 28] } } as const;
  const card = attention?.result ? { ...attention, result: { ...attention.result, fitted } } : undefined;
  if (!card) throw new Error("the fixture has an attention card");
  const looked = { ...named("explained"), cards: { attention: card } };
  expect([fitOf(looked)?.rule, pictureNotes(looked)]).toEqual(["fill", "Resized."]);
});

test("the start is none of the steps, and a running attack has its place on the whole track", () => {
  expect([0, 1, 40].map((iteration) => placeText(iteration, done))).toEqual(["Start", "1 / 40", "40 / 40"]);
  expect(verdictOf(done, 0).text).toBe("Start: still seven (0.989).");
  const running: InspectorState = { ...named("running"), progress: { done: 10, total: 40 }, trace: [point(0), point(5), point(10)] };
  expect(placeText(10, running)).toBe("10 / 40");
  // Every fifth of 40 iterations is kept: places 0 to 8, and the attack is at the third of them.
  expect(lastPlace(keptOf(running), running)).toBe(8);
  expect(lastPlace(keptOf(done), done)).toBe(8);
});
