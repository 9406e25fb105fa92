import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import type { DatasetDocument } from "../../src/engine/report/datasetFile.ts";
import type { CardProgress, Inspected } from "../../src/shared/cards.ts";
import { type AttackImageResult, cardProgress, requests } from "../../src/shared/protocol.ts";
import { attackedImage, image, inspectedOf, model } from "./inspected.ts";
import { type EngineHandle, newWorkspace, readJson, startEngine, type Workspace } from "./support.ts";

const gradCam = { id: "gradCam", params: {} };

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

const inspected = (change: Partial<Inspected> = {}): Inspected => inspectedOf(attacked, { folder: "cards/one", ...change });
const greys = async (file: string): Promise<number[]> => [...(await sharp(file).greyscale().raw().toBuffer())];

it("an attack on one picture says which image it was", async () => {
  const { ids, labels, files } = readJson<DatasetDocument>(path.join(attacked.directory, "dataset.json"));
  expect([ids, labels, files]).toEqual([["c6d84be4f6b90ea9"], [7], ["seven.png"]]); // the first test image of MNIST
  const ledger = await readNpz(path.join(attacked.directory, "ledger.npz"));
  expect(Array.from(ledger["attacked/pgd/prediction"]?.data ?? [])).toEqual([attacked.after.prediction.index]);
  expect(ledger["attacked/pgd/confidence"]?.data[0]).toBeCloseTo(attacked.after.prediction.probability, 5);
});

/** Text chunks of a PNG by keyword, read as the specification says: length, type, data, CRC; iTXt without compression. */
function textOf(png: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const data = png.subarray(at + 8, at + 8 + length);
    if (png.toString("latin1", at + 4, at + 8) === "iTXt") {
      const end = data.indexOf(0);
      found[data.toString("latin1", 0, end)] = data.toString("utf8", end + 5);
    }
    at += 12 + length;
  }
  return found;
}

it("the adversarial picture says where it comes from, as text of its PNG", () => {
  const text = textOf(readFileSync(path.join(attacked.directory, "adversarial.png")));
  expect(text["Software"]).toMatch(/^Bulwark \d/);
  expect(text["Title"]).toBe("PGD-20, ε 0.3 on seven.png");
  expect(text["Description"]).toMatch(/7.*\d.*no label/);
  expect(JSON.parse(text["Bulwark"] ?? "")).toMatchObject({
    attack: { id: "pgd", params: { eps: 0.3, steps: 20, stepSize: 0.03 } },
    seed: 1,
    image: "seven.png",
    model: { file: "papernot", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    label: null,
    cleanPrediction: { index: 7 },
    prediction: { index: attacked.after.prediction.index },
    verdict: "fooled",
  });
});

describe("the trace of an attack", () => {
  it("has of every kept iteration what is shown of the result", async () => {
    const { iteration, images } = await readNpz(path.join(attacked.directory, "iterates.npz"));
    const { clean, adversarial } = await readNpz(path.join(attacked.directory, "adversarial.npz"));
    if (!iteration || !images || !clean || !adversarial) throw new Error("the arrays are there");
    expect(Array.from(iteration.data, Number)).toEqual(attacked.trace.map((point) => point.iteration));
    for (const [place, { step }] of attacked.trace.entries()) {
      if (!step) throw new Error("every one of so few iterations is kept");
      const change = Array.from(clean.data, (value, i) => Math.abs(Number(images.data[place * 784 + i]) - Number(value)));
      expect(step.norms.linf).toBeCloseTo(Math.max(...change), 6);
      expect(step.norms.l2).toBeCloseTo(Math.sqrt(change.reduce((sum, d) => sum + d * d, 0)), 5);
      expect(step.norms.l0).toBe(change.filter((d) => d > 0).length);
      expect(existsSync(path.join(attacked.directory, step.image))).toBe(true);
    }
    const last = attacked.trace.at(-1)?.step;
    expect(last?.norms).toEqual(attacked.norms);
    expect(last?.scores[0]).toEqual(attacked.after.prediction);
    expect(Array.from(images.data.slice(-784))).toEqual(Array.from(adversarial.data));
  });
});

describe("an explanation of a run", () => {
  it("is of both images, and writes nothing outside its folder", async () => {
    const before = readdirSync(attacked.directory).sort();
    const result = await engine.request(requests.explainRun, { ...inspected(), explanation: gradCam, token: "" });
    expect(result.clean.prediction.index).toBe(7);
    expect(result.adversarial?.prediction).toEqual(attacked.after.prediction);
    expect(result.layers).toContain(result.layer);
    expect(await greys(path.join(attacked.directory, result.adversarial?.image ?? ""))).toEqual(
      await greys(path.join(attacked.directory, attacked.after.image)),
    );
    expect(readdirSync(attacked.directory).sort()).toEqual([...before, "cards"].sort());
    // Two areas that are placed independently: a·b of a + b − a·b.
    const [a, b] = [result.clean.share, result.adversarial?.share ?? 0];
    expect(result.randomIou).toBeCloseTo((a * b) / (a + b - a * b), 6);
    // The pictures of the areas are those that the overlap was counted on.
    const areaOf = async (file = ""): Promise<boolean[]> => {
      const { data } = await sharp(path.join(attacked.directory, file)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      return Array.from({ length: data.length / 3 }, (_, i) => data[3 * i] === 1);
    };
    const [clean, adversarial] = [await areaOf(result.clean.area), await areaOf(result.adversarial?.area)];
    expect(clean.filter(Boolean).length / 784).toBeCloseTo(a, 6);
    const both = clean.filter((inside, i) => inside && adversarial[i]).length;
    expect(both / clean.filter((inside, i) => inside || adversarial[i]).length).toBeCloseTo(result.iou ?? Number.NaN, 6);
  });

  it("along the attack is that of each iteration, the first and the last among sixteen at most", async () => {
    const seen: CardProgress[] = [];
    const listener = engine.connection.onProgress(cardProgress, "along", (progress) => void seen.push(progress));
    const { points } = await engine.request(requests.explainSequence, {
      ...inspected({ folder: "cards/along" }),
      explanation: gradCam,
      token: "along",
    });
    listener.dispose();
    const kept = attacked.trace.map(({ iteration }) => iteration); // 0 … 20
    expect(points.map(({ iteration }) => iteration)).toEqual([0, 1, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19, 20]);
    expect(kept).toEqual(Array.from({ length: 21 }, (_, i) => i));
    for (const place of [0, 5, 15]) {
      const { iteration = -1, iou, prediction, image: picture = "" } = points[place] ?? {};
      const alone = await engine.request(requests.explainRun, {
        ...inspected({ iteration, folder: "cards/alone" }),
        explanation: gradCam,
        token: "",
      });
      expect([iou, prediction]).toEqual([alone.iou, alone.adversarial?.prediction]);
      expect((await sharp(path.join(attacked.directory, picture)).metadata()).width).toBe(28);
    }
    expect(seen.at(-1)).toEqual({ done: 16, total: 17 });
    const fresh = inspected({ run: workspace.file("fresh") });
    const unattacked = engine.request(requests.explainSequence, { ...fresh, explanation: gradCam, token: "" });
    await expect(unattacked).rejects.toMatchObject({ code: "RUN_INVALID" });
  });

  it("by LIME has superpixels with their weights, and says how far it is", async () => {
    const seen: CardProgress[] = [];
    const explanation = { id: "lime", params: { samples: 200, features: 4 } };
    const listener = engine.connection.onProgress(cardProgress, "lime", (progress) => void seen.push(progress));
    const { layer, clean, adversarial } = await engine.request(requests.explainRun, { ...inspected(), explanation, token: "lime" });
    listener.dispose();
    expect(layer).toBeNull();
    for (const side of [clean, adversarial]) {
      const { file = "", weights = [] } = side?.superpixels ?? {};
      const { data, info } = await sharp(path.join(attacked.directory, file)).raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height, info.channels]).toEqual([28, 28, 3]);
      const numbers = Array.from({ length: 784 }, (_, i) => (data[3 * i] ?? 0) + 256 * (data[3 * i + 1] ?? 0));
      expect(Math.max(...numbers)).toBe(weights.length - 1);
      expect(weights.filter((weight) => weight !== 0)).toHaveLength(4);
    }
    expect(seen.at(-1)).toEqual({ done: 400, total: 400 });
    expect(seen.map(({ done }) => done)).toEqual([...seen.map(({ done }) => done)].sort((a, b) => a - b));
  });

  it("of an iteration is the one of that iteration's image", async () => {
    const last = attacked.trace.at(-1)?.iteration ?? 0;
    const ask = (iteration: number | null, folder: string) =>
      engine.request(requests.explainRun, { ...inspected({ iteration, folder }), explanation: gradCam, token: "" });
    const [end, same, start] = [await ask(null, "cards/a"), await ask(last, "cards/b"), await ask(0, "cards/c")];
    expect(same.iou).toBe(end.iou);
    expect(start.adversarial?.prediction.index).toBe(7);
    const map = (name: string | undefined): Buffer => readFileSync(path.join(attacked.directory, name ?? ""));
    expect(map(same.adversarial?.map).equals(map(end.adversarial?.map))).toBe(true);
    expect(map(start.adversarial?.map).equals(map(end.adversarial?.map))).toBe(false);
    const missing = engine.request(requests.explainRun, { ...inspected({ iteration: 999 }), explanation: gradCam, token: "" });
    await expect(missing).rejects.toMatchObject({ code: "RUN_INVALID" });
  });

  it("of a picture that nobody attacked makes a run folder, unless it fails", async () => {
    const run = workspace.file("explained");
    const wrong = { ...inspected({ run, folder: "" }), explanation: { id: "gradCam", params: { layer: "none" } }, token: "" };
    await expect(engine.request(requests.explainRun, wrong)).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
    expect(existsSync(run)).toBe(false);
    const result = await engine.request(requests.explainRun, { ...inspected({ run, folder: "" }), explanation: gradCam, token: "" });
    expect(result).toMatchObject({ adversarial: null, iou: null, clean: { prediction: { index: 7 }, degenerate: false } });
    expect(JSON.parse(readFileSync(path.join(run, "state.json"), "utf8"))).toMatchObject({ kind: "explain", status: "done" });
  });
});

describe("defences in front", () => {
  const oneBit = { id: "bitDepth", params: { depth: 1 } };

  it("show what the network sees, and what it says of it", async () => {
    const result = await engine.request(requests.defendRun, { ...inspected({ folder: "cards/d" }), chain: [oneBit] });
    const { adversarial } = result;
    if (!adversarial) throw new Error("the image was attacked");
    // One bit: every pixel becomes black or white, whichever is nearer.
    const [seen, before] = [adversarial.transformed, attacked.after.image].map((name) => path.join(attacked.directory, name));
    const [bits, pixels] = [await greys(seen ?? ""), await greys(before ?? "")];
    expect(new Set(bits)).toEqual(new Set([0, 255]));
    expect(bits).toEqual(pixels.map((value) => (value > 127 ? 255 : 0)));
    expect(adversarial.change).toBeLessThanOrEqual(0.5);
    expect(adversarial.without).toEqual(attacked.after.prediction);
    // Rounding twice is rounding once: the defended prediction is the one of the rounded picture without a defence.
    const again = await engine.request(requests.defendRun, {
      ...inspected({ image: seen ?? "", run: workspace.file("rounded"), folder: "" }),
      chain: [oneBit],
    });
    expect(again.clean.change).toBe(0);
    expect(again.clean.without.index).toBe(adversarial.behind.index);
    expect(again.clean.without.probability).toBeCloseTo(adversarial.behind.probability, 5);
  });

  it("show the maps that they go by, each picture with its own", async () => {
    const chain = [oneBit, { id: "localGradientSmoothing", params: { window: 5, overlap: 2 } }];
    const { clean, adversarial } = await engine.request(requests.defendRun, { ...inspected({ folder: "cards/maps" }), chain });
    expect(clean.maps?.map(({ name, defense }) => `${defense}: ${name}`)).toEqual([
      "Local gradient smoothing: gradient",
      "Local gradient smoothing: blocks above the threshold",
    ]);
    const [gradients, blocks] = await Promise.all((clean.maps ?? []).map(({ file }) => greys(path.join(attacked.directory, file))));
    expect([Math.min(...(gradients ?? [])), Math.max(...(gradients ?? []))]).toEqual([0, 255]); // normalised within the picture
    expect(new Set(blocks)).toEqual(new Set([0, 255]));
    expect(await greys(path.join(attacked.directory, adversarial?.maps?.[0]?.file ?? ""))).not.toEqual(gradients);
  });

  it("are drawn again only when they change", async () => {
    const mapsWith = async (params: Readonly<Record<string, number>>, folder: string): Promise<readonly (string | undefined)[]> => {
      const chain = [{ id: "localGradientSmoothing", params: { window: 5, overlap: 2, ...params } }];
      const { clean } = await engine.request(requests.defendRun, { ...inspected({ folder }), chain });
      return (clean.maps ?? []).map(({ file }) => file);
    };
    const first = await mapsWith({ lambda: 2 }, "cards/first");
    expect(await mapsWith({ lambda: 1 }, "cards/second")).toEqual(first); // λ comes after the maps
    const [gradient, blocks] = await mapsWith({ lambda: 2, threshold: 0.5 }, "cards/third");
    expect(gradient).toBe(first[0]);
    expect(blocks).not.toBe(first[1]);
  });

  it("are attacked through with their gradients, in words", async () => {
    const attack = { id: "pgd", params: { eps: 0.6, steps: 40, stepSize: 0.03 } };
    const through = (defenses: readonly (typeof oneBit)[], name: string): Promise<AttackImageResult> =>
      engine.request(requests.attackImage, { image, model, attack, defenses, seed: 1, directory: workspace.file(name), token: name });
    const result = await through([oneBit], "through");
    expect(result.defenses).toEqual([oneBit]);
    expect(result.how).toMatch(/BPDA/);
    expect(result.success).toBe(true);
    expect(result.commandLine).toContain("--defense bitDepth --defense-set depth=1");
    expect((await through([], "bare")).how).toBeNull();
  });

  it("that a network is trained with are refused", async () => {
    const chain = [{ id: "standard", params: {} }];
    const asked = engine.request(requests.defendRun, { ...inspected(), chain });
    await expect(asked).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });
});
