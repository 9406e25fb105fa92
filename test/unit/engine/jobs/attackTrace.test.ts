import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import "../../../../src/engine/backends/cpu.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { readNpz } from "../../../../src/engine/io/npz.ts";
import { createRun, type RunStore } from "../../../../src/engine/io/runStore.ts";
import { TraceRecorder } from "../../../../src/engine/jobs/attackTrace.ts";
import type { AttackImageUpdate } from "../../../../src/shared/protocol.ts";

let folder = "";
let store: RunStore;
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-trace-"));
  store = await createRun({ workspace: folder, directory: path.join(folder, "run"), kind: "attack", title: "trace" });
});
afterEach(() => rmSync(folder, { recursive: true }));

const model = { inputShape: [2, 2, 1], classes: 3, classNames: ["a", "b", "c"] } as unknown as Classifier; // all that a trace reads of one
const clean = new Float32Array(4);
/** Iteration i changes every pixel by i/10000. */
const images = (i: number): Float32Array => new Float32Array(4).fill(i / 10_000);

async function trace(
  iterations: number,
  total: number | null,
  { label = 0, target = null as number | null, scores = [0.2, 0.7, 0.1], of = model } = {},
) {
  const updates: AttackImageUpdate[] = [];
  const recorder = new TraceRecorder({ store, model: of, clean, label, update: (update) => updates.push(update) });
  for (let i = 0; i <= iterations; i++) {
    const probabilities = Float32Array.from(scores);
    await recorder.point({ iteration: i, total: i === iterations ? iterations : total, probabilities, images: images(i) });
  }
  return { points: await recorder.finish(target), updates };
}

describe("the trace of an attack", () => {
  it("has every iteration, and keeps what is shown of up to 64 and the last", async () => {
    const { points, updates } = await trace(200, 200);
    expect(points.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 201 }, (_, i) => i));
    expect(updates).toHaveLength(201);
    // ⌈200/64⌉ = 4.
    expect(points.filter(({ step }) => step).map(({ iteration }) => iteration)).toEqual(Array.from({ length: 51 }, (_, i) => 4 * i));
  });

  it("keeps norms and classes with the picture, the label among them", async () => {
    const { points } = await trace(3, 3, { label: 2 });
    const step = points[3]?.step;
    // Four pixels, each changed by 0.0003: the length of the change is 2·0.0003.
    expect(step?.norms.linf).toBeCloseTo(0.0003, 7);
    expect(step?.norms.l2).toBeCloseTo(0.0006, 7);
    expect(step?.norms.l0).toBe(4);
    expect(step?.scores.map(({ name }) => name)).toEqual(["b", "a", "c"]);
    expect(points[3]).toMatchObject({ otherClass: 1, trueProbability: expect.closeTo(0.1, 6), otherProbability: expect.closeTo(0.7, 6) });
  });

  it("keeps the class that the attack aimed at, however unlikely", async () => {
    const scores = [0.2, 0.25, 0.15, 0.14, 0.13, 0.08, 0.04, 0.01];
    const classes = { ...model, classes: scores.length, classNames: [..."abcdefgh"] };
    const { points } = await trace(2, 2, { label: 0, target: 7, scores, of: classes });
    for (const { step } of points) expect(step?.scores.map(({ name }) => name)).toEqual([..."bacdeh"]);
  });

  it("where nobody knows how many there will be, keeps every second one each time there are too many", async () => {
    const { points } = await trace(1000, null);
    const kept = points.filter(({ step }) => step);
    expect(kept.length).toBeLessThanOrEqual(65);
    expect(kept.slice(0, 3).map(({ iteration }) => iteration)).toEqual([0, 16, 32]);
    expect(kept.at(-1)?.iteration).toBe(1000);
    const { iteration, images: arrays } = await readNpz(store.file("iterates.npz"));
    expect(Array.from(iteration?.data ?? [], Number)).toEqual(kept.map((point) => point.iteration));
    expect(Array.from(arrays?.data.slice(4, 8) ?? [])).toEqual(Array.from(images(16)));
    for (const point of points) expect(existsSync(store.file(`iterates/${point.iteration}.png`))).toBe(point.step !== null);
  });
});
