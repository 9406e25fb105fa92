import { expect, test } from "vitest";
import type { PatchPlacement, PatchSuccessMapResult } from "../../../src/shared/patch.ts";
import type { StudioState } from "../../../src/shared/patchStudio.ts";
import { states } from "../../../webview/fixtures/patchStudio.ts";
import {
  canGoOn,
  coveringText,
  figuresText,
  type Ground,
  keptText,
  keyed,
  mapText,
  nextPlacement,
  placementText,
  placeText,
  previewKind,
  settled,
  targetName,
  trainingPlots,
  trainingText,
  usualStride,
} from "../../../webview/patchStudio/model.ts";

const named = (name: string): StudioState => {
  const state = states[name];
  if (!state) throw new Error(`no state ${name}`);
  return state;
};
const done = named("done");
const ground: Ground = { size: [28, 32, 1], patchSize: [7, 4] };
const at = (change: Partial<PatchPlacement> = {}): PatchPlacement => ({ row: 14, column: 16, rotation: 0, scale: 1, ...change });

test("the training is said in words at every point of its life", () => {
  expect(trainingText(null)).toBe("Not trained yet.");
  expect(trainingText(done.training)).toBe("Trained in 200 steps on 256 images.");
  expect(trainingText(named("running").training)).toBe("Training: step 84 of 200");
  expect(trainingText(named("failed").training)).toBe(
    "Interrupted when the window was closed, at step 80 of 200. Choose Continue to resume.",
  );
  expect(trainingText(done.training && { ...done.training, status: "running", history: [] })).toBe("Loading the model and the images…");
});

test("only a training that was stopped on its way goes on", () => {
  expect(canGoOn(named("failed").training)).toBe(true);
  expect(canGoOn(done.training)).toBe(false);
  expect(canGoOn(named("running").training)).toBe(false);
  expect(canGoOn(done.training && { ...done.training, status: "cancelled", history: [] })).toBe(false);
});

test("curves: log-probability of the goal, and success with the goal beside it", () => {
  if (!done.training) throw new Error("the fixture was trained");
  const [logProbability, success] = trainingPlots({ ...done.training, history: done.training.history.slice(0, 2) });
  expect(logProbability?.[0]).toMatchObject({ title: "Log-probability of “three”", x: "Step", y: "Log-probability (nats)" });
  expect(logProbability?.[1].x).toEqual([4, 8]);
  const drawn = (plot: (typeof success & object)[1] | undefined) => plot?.lines.filter((l) => !l.faint).map((l) => l.label);
  expect(drawn(success?.[1])).toEqual(["Misclassified", "Classified as three"]);
  // The single steps are faint; the line is their mean, the newest steps with the most weight.
  const [raw, mean] = logProbability?.[1].lines ?? [];
  expect(raw?.y).toEqual(done.training.history.slice(0, 2).map((p) => p.logProbability));
  const [one = 0, two = 0] = (raw?.y ?? []) as number[];
  expect(mean?.y[1]).toBeCloseTo((0.8 * 0.2 * one + 0.2 * two) / (1 - 0.8 ** 2), 9);
  const [untargeted, alone] = trainingPlots({ ...done.training, target: null });
  expect(untargeted?.[0].title).toBe("Log-probability of any wrong class");
  expect(drawn(alone?.[1])).toEqual(["Misclassified"]);
});

test("figures in one sentence; none counted is not a rate of 0", () => {
  const figures = { images: 16, successRate: 0.875, targetRate: 0.75, logProbability: -0.5 };
  expect(figuresText(figures, "three")).toBe("87.5 % of 16 images misclassified, 75.0 % as “three”; mean log-probability −0.5 nats.");
  expect(figuresText({ ...figures, targetRate: null }, null)).not.toContain("“");
  expect(figuresText({ images: 0, successRate: null, targetRate: null, logProbability: null }, "three")).toContain("No image was counted");
});

test("what covering alone does is told beside it", () => {
  expect(coveringText({ images: 16, successRate: 0.125, targetRate: 0, logProbability: -5 })).toBe(
    "A plain grey patch in the same place: 12.5 %.",
  );
  expect(coveringText(undefined)).toBe("");
});

test("which step's patch was kept is told where it is not the last", () => {
  const training = done.patch?.document?.training;
  if (!training) throw new Error("the fixture has a trained patch");
  expect(keptText({ ...training, steps: 500, bestStep: 350 })).toBe("The best of the patches compared was kept, that of step 350.");
  expect(keptText({ ...training, steps: 500, bestStep: 500 })).toBe("");
  expect(keptText(training)).toBe(""); // of an earlier version
});

test("who is aimed at: the document says it of a trained patch, the person of a sticker", () => {
  expect(targetName(done)).toBe("three");
  expect(targetName(named("sticker"))).toBeNull();
  const { patch } = named("sticker");
  expect(targetName({ ...named("sticker"), patch: patch && { ...patch, sticker: { area: 0.1, target: 4 } } })).toBe("four");
  expect(targetName(named("empty"))).toBeNull();
});

test("keys move, scale and turn; a patch stays in the picture", () => {
  expect(keyed(at(), "ArrowLeft", false, ground)).toEqual(at({ column: 15 }));
  expect(keyed(at(), "ArrowDown", true, ground)).toEqual(at({ row: 22 }));
  expect(keyed(at({ row: 25 }), "ArrowDown", true, ground)).toEqual(at({ row: 28 }));
  expect(keyed(at(), "r", false, ground)).toEqual(at({ rotation: 15 }));
  expect(keyed(at(), "R", true, ground)).toEqual(at({ rotation: -15 }));
  expect(keyed(at(), "+", true, ground)?.scale).toBeCloseTo(1.1, 9);
  expect(keyed(at({ row: 3, rotation: 40, scale: 2 }), "0", false, ground)).toEqual(at());
  expect(keyed(at(), "Tab", false, ground)).toBeNull();
});

test("a turn of a full circle is none, and scales have ends", () => {
  expect(settled(at({ rotation: 190 }), ground).rotation).toBe(-170);
  expect(settled(at({ rotation: -360 }), ground).rotation).toBe(0);
  expect(settled(at({ scale: 40 }), ground).scale).toBe(4);
  expect(settled(at({ scale: 0 }), ground).scale).toBe(0.1);
  expect(settled(at({ scale: 3 }), { ...ground, patchSize: [14, 4] }).scale).toBe(2); // 14·2 is the whole height
});

test("one place is asked for at a time, the newest next", () => {
  const { place } = done;
  if (!place) throw new Error("the fixture has a place");
  const asked = place.placement;
  expect(nextPlacement(at(), { ...place, status: "running" })).toBeNull();
  expect(nextPlacement(at(), place)).toEqual(at());
  expect(nextPlacement(asked, place)).toBeNull();
  expect(nextPlacement(null, place)).toBeNull();
  expect(nextPlacement(at(), null)).toBeNull();
});

test("a place and what the model says there, in words", () => {
  expect(placementText(at({ rotation: -15.4, scale: 1.25 }))).toBe("row 14, column 16, rotated −15°, scale 1.25");
  expect(done.place && placeText(done.place)).toEqual({ kind: "target", text: "seven (0.998) → three (0.871): target class reached." });
  expect(previewKind({ success: true, targetReached: false })).toBe("fooled");
  expect(previewKind({ success: false, targetReached: null })).toBe("resisted");
});

test("a map is told by its extremes", () => {
  const map: PatchSuccessMapResult = {
    directory: "",
    rows: [5, 10],
    columns: [6, 12],
    images: 8,
    success: [
      [0, 0.5],
      [1, null],
    ],
    target: null,
    probability: [
      [0.1, 0.1],
      [0.1, null],
    ],
    picture: "",
  };
  expect(mapText(map, "success")).toBe(
    "3 places, 8 images each: highest at row 10, column 6 (100.0 %), lowest at row 5, column 6 (0.0 %).",
  );
  expect(mapText({ ...map, images: 0, success: [[null]] }, "success")).toContain("No image was counted");
});

test("about twelve places either way, never less than a pixel apart", () => {
  expect(usualStride([28, 28, 1], [10, 10])).toBe(2); // 18 pixels of room: 10 places
  expect(usualStride([224, 224, 3], [70, 70])).toBe(14); // 154 of room: 12 places
  expect(usualStride([10, 10, 1], [9, 9])).toBe(1);
});
