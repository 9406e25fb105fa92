import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import { writePng } from "../../src/engine/io/png.ts";
import { type AttackImageParams, type AttackImageUpdate, attackImageProgress, requests } from "../../src/shared/protocol.ts";
import { type EngineHandle, newWorkspace, startEngine, type Workspace } from "./support.ts";

const samples = path.resolve(import.meta.dirname, "../../samples");
const image = path.join(samples, "seven.png");
const model = path.join(samples, "models/papernot");

let workspace: Workspace;
let engine: EngineHandle;
beforeAll(async () => {
  workspace = newWorkspace();
  engine = startEngine(workspace);
  await engine.handshake("onnxruntime");
});
afterAll(() => {
  engine.end();
  workspace.remove();
});

let runs = 0;
const params = (attack: AttackImageParams["attack"], more: Partial<AttackImageParams> = {}): AttackImageParams & { token: string } => ({
  image,
  model,
  attack,
  seed: 1,
  directory: workspace.file(`run-${++runs}`),
  token: `t${runs}`,
  ...more,
});
const pgd = (steps: number) => ({ id: "pgd", params: { eps: 0.3, steps, stepSize: 0.02 } });

/** A PNG's width and height. */
function sizeOf(file: string): [number, number] {
  const bytes = readFileSync(file);
  expect(bytes.subarray(1, 4).toString()).toBe("PNG");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

describe("attack on a picture", () => {
  it("says what was done to the picture for the model", async () => {
    const file = workspace.file("red.png");
    const red = Uint8Array.from({ length: 28 * 28 * 3 }, (_, i) => (i % 3 === 0 ? 200 : 10));
    await writePng(file, red, 28, 28, 3);
    const result = await engine.request(requests.attackImage, params({ id: "fgsm", params: { eps: 0.1 } }, { image: file }));
    expect(result.notes).toEqual(["colour converted to grayscale"]);
    expect((await engine.request(requests.attackImage, params({ id: "fgsm", params: { eps: 0.1 } }))).notes).toEqual([]);
  });

  it("streams the clean picture and every iteration, and writes what it names", async () => {
    const asked = params(pgd(30));
    const updates: AttackImageUpdate[] = [];
    engine.connection.onProgress(attackImageProgress, asked.token, (update) => void updates.push(update));
    const result = await engine.request(requests.attackImage, asked);
    expect(result).toMatchObject({ run: path.basename(asked.directory), size: [28, 28, 1], labelKnown: false, label: { index: 7 } });
    expect(result.before.prediction).toMatchObject({ index: 7, name: "7" });
    expect(result.before.scores.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 4);
    expect(result.norms.linf).toBeLessThanOrEqual(0.3 + 1e-6);
    expect(result.differenceMax).toBeCloseTo(result.norms.linf, 5);
    expect(result.success).toBe(result.after.prediction.index !== 7);
    expect(updates[0]).toMatchObject({ kind: "clean", prediction: { index: 7 } });
    expect(updates.filter(({ kind }) => kind === "iteration").length).toBeGreaterThanOrEqual(30);
    const named = [result.before.image, result.after.image, result.difference];
    const kept = result.trace.map((point) => point.step?.image ?? "missing");
    expect(kept).toHaveLength(31); // the start and 30 steps
    for (const name of [...named, ...kept]) expect(sizeOf(path.join(result.directory, name))).toEqual([28, 28]);
    const iterations = result.trace.map((point) => point.iteration);
    expect(iterations).toEqual([...iterations].sort((a, b) => a - b));
    expect(result.commandLine).toContain("--attack pgd");
    expect(JSON.parse(readFileSync(path.join(result.directory, "result.json"), "utf8"))).toEqual(result);
  });

  it("takes a label, and refuses one outside the classes", async () => {
    const attack = { id: "fgsm", params: { eps: 0.1 } };
    const result = await engine.request(requests.attackImage, params(attack, { label: 7 }));
    expect(result).toMatchObject({ labelKnown: true, label: { index: 7 } });
    const wrong = params(attack, { label: 10 });
    await expect(engine.request(requests.attackImage, wrong)).rejects.toMatchObject({ code: "LABEL_RANGE" });
    expect(existsSync(wrong.directory)).toBe(false);
  });

  it("has the true class from the folder that the picture lies in, and none where a person says so", async () => {
    const digits = workspace.file("digits");
    for (const digit of ["2", "7"]) {
      mkdirSync(path.join(digits, digit), { recursive: true });
      copyFileSync(image, path.join(digits, digit, "x.png"));
    }
    const attack = { id: "fgsm", params: { eps: 0.01 } };
    const right = await engine.request(requests.attackImage, params(attack, { image: path.join(digits, "7/x.png") }));
    expect(right).toMatchObject({ labelKnown: true, label: { index: 7 }, labelSource: { kind: "folder" }, verdict: "resisted" });
    // The picture is a seven: in the folder "2" the model is wrong before anything was attacked.
    const wrong = await engine.request(requests.attackImage, params(attack, { image: path.join(digits, "2/x.png") }));
    expect(wrong).toMatchObject({ label: { index: 2 }, verdict: "alreadyWrong", success: false, norms: { linf: 0 } });
    const none = await engine.request(requests.attackImage, params(attack, { image: path.join(digits, "2/x.png"), label: null }));
    expect(none).toMatchObject({ labelKnown: false, label: { index: 7 }, labelSource: null, verdict: "resisted" });
  });

  it("that led from a wrong prediction to the label has repaired it, once the label is said", async () => {
    const asked = params(pgd(40));
    const fooled = await engine.request(requests.attackImage, asked);
    expect(fooled).toMatchObject({ verdict: "fooled", success: true, labelKnown: false });
    const { directory, after } = fooled;
    const repaired = await engine.request(requests.labelRun, { directory, label: after.prediction.index });
    expect(repaired).toMatchObject({
      verdict: "repaired",
      success: false,
      successAfter8Bit: false,
      labelKnown: true,
      label: { index: after.prediction.index, name: after.prediction.name },
      labelSource: { kind: "person" },
      reference: { index: 7 },
    });
    const json = (name: string): unknown => JSON.parse(readFileSync(path.join(directory, name), "utf8"));
    expect(json("result.json")).toEqual(repaired);
    expect(json("dataset.json")).toMatchObject({ labels: [after.prediction.index] });
    expect(json("state.json")).toMatchObject({ status: "done", headline: `repaired: 7 → ${after.prediction.name}` });
    const ledger = await readNpz(path.join(directory, "ledger.npz"));
    expect(["label", "attacked/pgd/success", "attacked/pgd/prediction"].map((name) => ledger[name]?.data[0])).toEqual([
      after.prediction.index,
      0,
      after.prediction.index,
    ]);
    // Said to be what the model predicted, it is a success again.
    expect(await engine.request(requests.labelRun, { directory, label: 7 })).toMatchObject({
      verdict: "fooled",
      success: true,
      successAfter8Bit: fooled.successAfter8Bit,
    });
    await expect(engine.request(requests.labelRun, { directory, label: 10 })).rejects.toMatchObject({ code: "LABEL_RANGE" });
    expect(json("state.json")).toMatchObject({ status: "done" });
  });

  it("towards a class says whether it was reached, or was there before", async () => {
    const to = (target: number) => ({ id: "pgd", params: { eps: 0.5, steps: 40, stepSize: 0.05, target } });
    const reached = await engine.request(requests.attackImage, params(to(3), { label: 7 }));
    expect(reached).toMatchObject({ target: { index: 3 }, verdict: reached.after.prediction.index === 3 ? "reached" : "notReached" });
    expect(reached.success).toBe(reached.verdict === "reached");
    expect(await engine.request(requests.attackImage, params(to(7), { label: 2 }))).toMatchObject({ verdict: "alreadyTarget" });
  });

  it("that is cancelled stops within a step", async () => {
    const asked = params(pgd(10_000));
    const abort = new AbortController();
    const seen: number[] = [];
    engine.connection.onProgress(attackImageProgress, asked.token, (update) => {
      if (update.kind !== "iteration") return;
      seen.push(update.point.iteration);
      abort.abort();
    });
    await expect(engine.request(requests.attackImage, asked, abort.signal)).rejects.toMatchObject({ code: "CANCELLED" });
    expect(seen.length).toBeLessThanOrEqual(5);
    expect(JSON.parse(readFileSync(path.join(asked.directory, "state.json"), "utf8"))).toMatchObject({ status: "cancelled" });
  });
});

describe("other requests", () => {
  it("warm up a model, inspect it", async () => {
    const { classes } = await engine.request(requests.warmUp, { model });
    expect(classes).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    // 312,202: counted by hand from the layers of Ranjan et al., Table 10, at 28×28×1.
    expect(await engine.request(requests.inspectModel, { model })).toMatchObject({ classes: 10, parameters: 312_202 });
  });

  it("rank the slices of a picture and of its attacked version", async () => {
    const attacked = path.join(samples, "two.png");
    const asked = {
      image,
      attacked,
      patch: 14,
      measure: "entropy",
      order: "desc",
      reference: "mostSalient",
      directory: workspace.file("ranked"),
    } as const;
    const { clean, attacked: second } = await engine.request(requests.rankPatches, asked);
    expect([clean.Z, clean.rows, clean.columns, clean.slices.length]).toEqual([4, 2, 2, 4]);
    expect([...clean.perm].sort()).toEqual([0, 1, 2, 3]);
    expect(second?.scores).not.toEqual(clean.scores);
    for (const slice of clean.slices) expect(sizeOf(workspace.file(`ranked/${slice}`))).toEqual([14, 14]);
  });

  it("rank slices of a size that divides the picture, or pad its edges where none does", async () => {
    const asked = { patch: "auto", measure: "entropy", order: "asc", reference: "mostSalient" } as const;
    const digit = await engine.request(requests.rankPatches, { ...asked, image, directory: workspace.file("auto") });
    expect([digit.clean.patch, digit.clean.Z, digit.onRemainder]).toEqual([7, 16, "error"]);
    // 37 and 41 are prime, and 1517 slices of one pixel are more than anybody looks at.
    await writePng(workspace.file("odd.png"), new Uint8Array(37 * 41).fill(9), 37, 41, 1);
    const odd = await engine.request(requests.rankPatches, {
      ...asked,
      image: workspace.file("odd.png"),
      directory: workspace.file("odd"),
    });
    expect([odd.clean.patch, odd.clean.rows, odd.clean.columns, odd.onRemainder]).toEqual([9, 5, 5, "reflectPad"]);
    expect(odd.notes?.at(-1)).toBe("edges mirrored, since no slice size divides 37×41");
  });
});
