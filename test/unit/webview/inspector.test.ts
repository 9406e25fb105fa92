import { expect, test } from "vitest";
import type { InspectorState } from "../../../src/shared/panels.ts";
import type { TracePoint } from "../../../src/shared/protocol.ts";
import { states } from "../../../webview/fixtures/inspector.ts";
import {
  after8Bit,
  applyUpdate,
  attackLabel,
  keptIterate,
  pictureNotes,
  shownPictures,
  verdict,
} from "../../../webview/inspector/model.ts";
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

test("what was done to the picture is said in one sentence", () => {
  const sentence = "The picture was changed to fit: colour converted to grayscale; resized from 640×480 to 28×28 (cover).";
  expect(pictureNotes(done)).toBe(sentence);
  expect(pictureNotes(named("ranked"))).toBe("The picture was changed to fit: turned upright by its EXIF orientation.");
  expect(pictureNotes(named("empty"))).toBe("");
});

test("an image that was only ranked is not said to have resisted", () => {
  expect(verdict(named("ranked"))).toEqual({ kind: "none", text: "Not attacked yet: “Re-run” attacks it." });
});
