import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { readKept, readRequest } from "../../../src/extension/panels/inspector/file.ts";
import { type Inspector, inspectorPanel } from "../../../src/extension/panels/inspector/inspector.ts";
import { folderOf } from "../../../src/extension/panels/panel.ts";
import type { AttentionParams, AttentionResult } from "../../../src/shared/cards.ts";
import { commands, panels } from "../../../src/shared/contributions.ts";
import type { AttackImageResult, RankPatchesResult } from "../../../src/shared/protocol.ts";
import { runsFolder } from "../../../src/shared/runs.ts";
import { attackedPicture, bulwark, closeAll, eventually, oneTabOf, pictureAndModel, workspace } from "../support.ts";

const gradCam = (params: Readonly<Record<string, unknown>> = {}, iteration: number | null = null): AttentionParams => ({
  explanation: { id: "gradCam", params },
  iteration,
});
const runs = (): string[] => readdirSync(path.join(workspace(), runsFolder));

/** The inspector of a picture that was attacked, with its attention on show. */
async function attacked(): Promise<{ inspector: Inspector; result: AttackImageResult }> {
  const { inspector, result } = await attackedPicture();
  await eventually("the attention is there by itself", () => inspector.state.cards.attention?.status === "done");
  return { inspector, result };
}
/** The explanation of the picture, as the menu gives it. */
async function explained(): Promise<{ inspector: Inspector; result: AttentionResult; image: string }> {
  const { services } = await bulwark();
  const { image, model } = await pictureAndModel();
  await services.context.workspaceState.update("lastModel", model);
  const result = await vscode.commands.executeCommand<AttentionResult>(commands.explainImage, vscode.Uri.file(image));
  const inspector = inspectorPanel.get(services, image);
  assert.ok(inspector && result);
  return { inspector, result, image };
}

describe("cards of the Inspector", () => {
  afterEach(closeAll);

  it("show another layer and another iteration without attacking again", async () => {
    const { inspector, result } = await attacked();
    const before = runs();
    const file = path.join(result.directory, "adversarial.npz");
    const written = statSync(file).mtimeMs;
    const last = inspector.state.cards.attention?.result;
    assert.ok(last && last.layers.length > 1, "the network has more than one layer to look at");
    const other = await inspector.card("attention", gradCam({ layer: last.layers[0] }));
    assert.ok(other);
    assert.equal(other.layer, last.layers[0]);
    assert.notEqual(other.layer, last.layer);
    const early = await inspector.card("attention", gradCam({}, 1));
    assert.equal(early?.adversarial?.prediction.index, result.before.prediction.index, "one step fools nobody");
    for (const side of [other.adversarial, early.adversarial])
      for (const name of [side?.image, side?.map]) assert.ok(name && existsSync(path.join(result.directory, name)), name);
    assert.deepEqual(runs(), before);
    assert.equal(statSync(file).mtimeMs, written);
    assert.equal(inspector.state.result, result);
    // What was asked before is there at once, from the same files.
    assert.equal(await inspector.card("attention", { explanation: null, iteration: null }), last);
    assert.deepEqual(last.explanation, { id: "gradCam", params: {} });
  });

  it("have errors of their own, beside which the attack stands", async () => {
    const { inspector, result } = await attacked();
    assert.equal(await inspector.card("attention", gradCam({ layer: "no such layer" })), undefined);
    const { cards, error, status } = inspector.state;
    assert.equal(cards.attention?.status, "failed");
    assert.equal(cards.attention.error?.error.code, "PARAMETER_INVALID");
    assert.ok(cards.attention.result, "the last map stays");
    assert.deepEqual([error, status, inspector.state.result], [null, "done", result]);
  });

  it("are cancelled by themselves, and a newer request takes over", async () => {
    const { inspector } = await attacked();
    const [first, second] = [inspector.card("attention", gradCam({ threshold: "equalSize" })), inspector.card("attention", gradCam({}, 3))];
    assert.equal(await first, undefined);
    assert.ok(await second);
    const slow = inspector.card("attention", gradCam({}, 7));
    await inspector.answer({ kind: "cancelCard", id: "attention" });
    assert.equal(await slow, undefined);
    assert.equal(inspector.state.cards.attention?.status, "cancelled");
    assert.equal(inspector.state.status, "done");
  });

  it("explain by LIME with its progress, and stop when asked", async () => {
    const { inspector, result } = await attacked();
    const lime = (samples: number): AttentionParams => ({ explanation: { id: "lime", params: { samples } }, iteration: null });
    const found = await inspector.card("attention", lime(100));
    assert.ok(found);
    for (const side of [found.clean, found.adversarial]) {
      const { file = "", weights = [] } = side?.superpixels ?? {};
      assert.ok(weights.some((weight) => weight !== 0));
      assert.ok(existsSync(path.join(result.directory, file)), file);
    }
    const long = inspector.card("attention", lime(200_000));
    await eventually("the progress is shown", () => (inspector.state.cards.attention?.progress?.done ?? 0) > 0);
    await inspector.answer({ kind: "cancelCard", id: "attention" });
    assert.equal(await long, undefined);
    assert.equal(inspector.state.cards.attention?.status, "cancelled");
    assert.equal(inspector.state.cards.attention?.result, found, "the last map stays");
  });

  it("show the attention along the attack, bring it back after a reload, and leave it out after another attack", async () => {
    const { services } = await bulwark();
    const { inspector, result } = await attacked();
    const last = inspector.state.cards.attention?.result;
    const explanation = { id: "gradCam", params: {} };
    await inspector.answer({ kind: "card", id: "sequence", params: { explanation } });
    const { status, result: along } = inspector.state.cards.sequence ?? {};
    assert.ok(status === "done" && along);
    const kept = result.trace.map(({ iteration }) => iteration);
    assert.deepEqual([along.points[0]?.iteration, along.points.at(-1)?.iteration], [kept[0], kept.at(-1)]);
    assert.ok(along.points.length > 2 && along.points.length <= 16);
    for (const { image } of along.points) assert.ok(existsSync(path.join(result.directory, image)), image);
    assert.equal(along.points[0]?.prediction.index, result.before.prediction.index);
    assert.deepEqual(along.points.at(-1)?.prediction, result.after.prediction);
    assert.equal(along.points.at(-1)?.iou, last?.iou, "the last map is that of the attention card");

    const { image } = await pictureAndModel();
    const { directory } = inspector;
    await closeAll();
    await eventually("the inspector is closed", () => !inspectorPanel.get(services, image));
    const panel = vscode.window.createWebviewPanel(panels.inspector, "restored", vscode.ViewColumn.One);
    const back = await inspectorPanel.restore(services, panel, directory);
    assert.deepEqual(back?.state.cards.sequence?.result, along);
    await back.answer({ kind: "rerun", attack: { id: "fgsm", params: { eps: 0.3 } }, defenses: [] });
    assert.notEqual(back.state.result?.directory, directory);
    assert.equal(back.state.cards.sequence, undefined);
  });

  it("put a defence in front of both pictures, and the attack goes through it when asked", async () => {
    const { inspector, result } = await attacked();
    const oneBit = { id: "bitDepth", params: { depth: 1 } };
    const defended = await inspector.card("defense", { defenses: [oneBit], iteration: null });
    assert.ok(defended?.adversarial);
    assert.equal(defended.adversarial.without.index, result.after.prediction.index);
    assert.ok(defended.adversarial.change > 0.2 && defended.adversarial.change <= 0.5);
    for (const { transformed } of [defended.clean, defended.adversarial]) assert.ok(existsSync(path.join(result.directory, transformed)));
    const attack = { ...result.attack };
    await inspector.answer({ kind: "rerun", attack, defenses: [oneBit] });
    const through = inspector.state.result;
    assert.ok(through && through.directory !== result.directory);
    assert.deepEqual(through.defenses, [oneBit]);
    assert.match(through.how ?? "", /BPDA/);
    await eventually("the card is asked again", () => inspector.state.cards.defense?.status === "done");
    assert.deepEqual((await readRequest(through.directory))?.defenses, [oneBit]);
  });

  it("refuse a defence that a network is trained with", async () => {
    const { inspector } = await attacked();
    assert.equal(await inspector.card("defense", { defenses: [{ id: "standard", params: {} }], iteration: null }), undefined);
    assert.equal(inspector.state.cards.defense?.error?.error.code, "PARAMETER_INVALID");
  });
});

describe("an explanation", () => {
  afterEach(closeAll);

  it("is the Inspector without an attack", async () => {
    const { inspector, result } = await explained();
    await oneTabOf(panels.inspector);
    assert.equal(inspector.state.status, "idle");
    assert.equal(inspector.state.result, null);
    assert.equal(result.adversarial, null);
    assert.ok(result.clean.share >= 0 && result.clean.share <= 1);
    assert.ok(existsSync(path.join(inspector.directory, result.clean.map)));
    const { services } = await bulwark();
    assert.equal((await services.runs.find(path.basename(inspector.directory)))?.state.kind, "explain");
  });

  it("is beside its attack where the picture was attacked with this model", async () => {
    const { inspector, result } = await attacked();
    const { services } = await bulwark();
    await services.context.workspaceState.update("lastModel", inspector.state.model.path);
    const { inspector: same, result: both } = await explained();
    assert.equal(same, inspector);
    assert.equal(same.state.result, result);
    assert.ok(both.adversarial);
  });

  it("comes back after a reload", async () => {
    const { services } = await bulwark();
    const { inspector, result, image } = await explained();
    const { directory } = inspector;
    await closeAll();
    await eventually("the inspector is closed", () => !inspectorPanel.get(services, image));
    const panel = vscode.window.createWebviewPanel(panels.inspector, "restored", vscode.ViewColumn.One);
    const back = await inspectorPanel.restore(services, panel, directory);
    assert.equal(back?.state.status, "idle");
    assert.deepEqual(back.state.cards.attention?.result, result);
    assert.equal(panel.title, `Inspector: ${path.basename(image)}`);
  });

  it("and a defence that are asked for at once share a run folder", async () => {
    const { services } = await bulwark();
    const { image, model } = await pictureAndModel();
    const request = { image, model, attack: { id: "fgsm", params: {} }, defenses: [] };
    const inspector = inspectorPanel.open(services, { ...request, isIdle: true });
    const before = runs().length;
    const defenses = [{ id: "medianFilter", params: {} }];
    const [seen, defended] = await Promise.all([
      inspector.card("attention", gradCam()),
      inspector.card("defense", { defenses, iteration: null }),
    ]);
    assert.ok(seen && defended);
    assert.equal(runs().length, before + 1);
    assert.deepEqual(Object.keys((await readKept(inspector.directory)).cards).sort(), ["attention", "defense"]);
  });
});

describe("a ranking", () => {
  afterEach(closeAll);

  it("ranks again with what was asked, and comes back from the folder", async () => {
    const { services } = await bulwark();
    const { image } = await pictureAndModel();
    const first = await vscode.commands.executeCommand<RankPatchesResult>(commands.rankPatches, vscode.Uri.file(image));
    assert.equal(first.clean.patch, 7);
    const inspector = inspectorPanel.get(services, image);
    assert.ok(inspector);
    const wish = { measure: "entropy", order: "desc", reference: "mostSalient", onRemainder: "error" } as const;
    assert.equal(await inspector.card("ranking", { ...wish, patch: 5 }), undefined);
    assert.equal(inspector.state.cards.ranking?.error?.error.code, "PARAMETER_INVALID");
    const padded = await inspector.card("ranking", { ...wish, patch: 5, onRemainder: "reflectPad" });
    assert.equal(padded?.clean.Z, 36);
    const directory = await folderOf({ runId: inspector.state.runId }, runsFolder);
    assert.ok(directory);
    for (const slice of padded.clean.slices) assert.ok(existsSync(path.join(directory, slice)), slice);
    await closeAll();
    await eventually("the inspector is closed", () => !inspectorPanel.get(services, image));
    assert.equal((await readRequest(directory))?.image, image);
    assert.deepEqual((await readKept(directory)).cards.ranking?.params, { ...wish, patch: 5, onRemainder: "reflectPad" });
    const panel = vscode.window.createWebviewPanel(panels.inspector, "restored", vscode.ViewColumn.One);
    const back = await inspectorPanel.restore(services, panel, directory);
    assert.deepEqual(back?.state.cards.ranking?.result?.clean, padded.clean);
  });
});
