import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { type Inspector, inspectorPanel } from "../../../src/extension/panels/inspector/inspector.ts";
import { sampleOf } from "../../../src/extension/samples.ts";
import { commands } from "../../../src/shared/contributions.ts";
import type { AttackImageResult } from "../../../src/shared/protocol.ts";
import { bulwark, closeAll, eventually, workspace } from "../support.ts";

const folder = (): string => path.join(workspace(), "own");
const model = (): string => path.join(folder(), "model/model.json");
const picture = (): string => path.join(folder(), "holiday/kitten.jpg");
const contract = (): string => path.join(folder(), "model/model.bulwark.json");

/** The Inspector of a photo that nobody labelled, attacked with a model of one's own. */
async function attacked(): Promise<{ inspector: Inspector; result: AttackImageResult }> {
  const { services } = await bulwark();
  const options = { model: model(), attack: "fgsm", params: { eps: 8 / 255 } };
  const result = await vscode.commands.executeCommand<AttackImageResult>(commands.attackThisImage, vscode.Uri.file(picture()), options);
  const inspector = inspectorPanel.get(services, picture());
  assert.ok(inspector && result);
  return { inspector, result };
}

/** Answers the lists that the work asks with, each by its entry at a place. Nothing tells when a list is open, so it is given time. */
async function choosing(work: Promise<void>, ...places: readonly number[]): Promise<void> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined); // looked at below
  for (const place of places) {
    await new Promise((resolve) => setTimeout(resolve, 4000));
    for (let i = 0; i < place; i++) await vscode.commands.executeCommand("workbench.action.quickOpenSelectNext");
    await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
  }
  await eventually("the choice has its effect", () => isDone);
  await done;
}

const classNames = async (): Promise<readonly string[]> => {
  const { services } = await bulwark();
  const inspector = inspectorPanel.get(services, picture());
  return [...(inspector?.state.result?.before.scores ?? [])].sort((a, b) => a.index - b.index).map(({ name }) => name);
};

describe("what a person chooses in the Inspector", () => {
  beforeEach(async () => {
    const { services } = await bulwark();
    const sample = sampleOf(services.context.extensionPath, "photos");
    mkdirSync(path.dirname(picture()), { recursive: true });
    cpSync(path.dirname(sample.model), path.dirname(model()), { recursive: true });
    cpSync(path.join(sample.pictures, "cat/kitten.jpg"), picture());
  });
  afterEach(async () => {
    await closeAll();
    rmSync(folder(), { recursive: true });
  });

  it("the label: the model's own prediction stands for none, and a chosen one judges the same attack", async () => {
    const { inspector, result } = await attacked();
    assert.equal(result.labelKnown, false);
    const own = result.before.prediction.index;
    await choosing(inspector.answer({ kind: "chooseLabel" }), own + 1); // behind "No label"
    assert.equal(inspector.state.result?.directory, result.directory, "nothing was attacked again");
    assert.deepEqual(
      [inspector.state.result?.labelKnown, inspector.state.result?.label.index, inspector.state.result?.labelSource?.kind],
      [true, own, "person"],
    );
    await choosing(inspector.answer({ kind: "chooseLabel" }), 0);
    assert.equal(inspector.state.result?.labelKnown, false);
    assert.match(inspector.state.result?.commandLine ?? "", / --no-label /);
  });

  it("the fit, which is remembered for the model", async () => {
    const { services } = await bulwark();
    const { inspector, result } = await attacked();
    assert.equal(result.fit?.rule, "cover");
    await inspector.answer({ kind: "fit", rule: "fill" });
    assert.equal(inspector.state.result?.fit?.rule, "fill");
    assert.match(inspector.state.result?.commandLine ?? "", / --fit fill /);
    const fits = services.context.workspaceState.get<Readonly<Record<string, string>>>("fits");
    assert.equal(fits?.[model()], "fill");
    await services.context.workspaceState.update("fits", {});
  });

  it("the model: the picture is attacked again with the other one", async () => {
    const other = path.join(folder(), "another/model.json");
    cpSync(path.dirname(model()), path.dirname(other), { recursive: true });
    const { inspector, result } = await attacked();
    const { services } = await bulwark();
    await services.context.workspaceState.update("lastModel", other); // the first of the list
    await choosing(inspector.answer({ kind: "chooseModel" }), 0);
    await eventually("the attack is done", () => inspector.state.status === "done");
    assert.equal(inspector.state.model.path, other);
    assert.notEqual(inspector.state.result?.directory, result.directory);
  });

  it("a long attack: it waits with its estimate, and Escape brings back what was on show", async () => {
    const { inspector, result } = await attacked();
    const long = { id: "pgd", params: { eps: 8 / 255, steps: 10_000 } };
    await inspector.answer({ kind: "rerun", attack: long, defenses: [] });
    assert.deepEqual([inspector.state.status, inspector.state.result], ["asked", null]);
    assert.ok((inspector.state.estimate?.seconds ?? 0) > 10);
    await inspector.answer({ kind: "dismiss" });
    assert.equal(inspector.state.status, "done");
    assert.equal(inspector.state.result?.directory, result.directory);
    assert.equal(inspector.directory, result.directory);
    await inspector.answer({ kind: "dismiss" });
    assert.equal(inspector.state.status, "done", "there is nothing to dismiss");
  });

  it("the class names: written into the contract after asking, and on show at once", async () => {
    const { inspector } = await attacked();
    const before = await classNames();
    const renamed = before.map((name) => `${name} of mine`);
    writeFileSync(path.join(folder(), "model/my_classes.txt"), `${renamed.join("\n")}\n`);
    const stored = existsSync(contract()) ? readFileSync(contract(), "utf8") : "";
    const refused = choosing(inspector.answer({ kind: "chooseClasses" }), 0, 1);
    await assert.rejects(refused, { name: "BulwarkError" });
    assert.equal(existsSync(contract()) ? readFileSync(contract(), "utf8") : "", stored, "nothing was written without consent");
    await choosing(inspector.answer({ kind: "chooseClasses" }), 0, 0);
    await eventually("the attack is done", () => inspector.state.status === "done");
    const written = JSON.parse(readFileSync(contract(), "utf8")) as { output: { classes: string[] } };
    assert.deepEqual(written.output.classes, renamed);
    assert.deepEqual(await classNames(), renamed);
    assert.equal(inspector.state.result?.classNamesSource?.text, "model.bulwark.json");
  });

  it("a list of names that does not fit is an error with its ways out", async () => {
    const { services } = await bulwark();
    writeFileSync(contract(), JSON.stringify({ input: { mean: 0, scale: 255 }, output: { classes: ["one", "two"] } }));
    const options = { model: model(), attack: "fgsm" };
    assert.equal(await vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(picture()), options), undefined);
    const error = inspectorPanel.get(services, picture())?.state.error;
    const labels = [error?.action?.label, ...(error?.others ?? []).map(({ label }) => label)];
    assert.deepEqual(labels.slice(0, 2), ["Choose Class Names…", "Edit Contract"]);
    writeFileSync(contract(), JSON.stringify({ input: { mean: "zero" } }));
    assert.equal(await vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(picture()), options), undefined);
    const broken = inspectorPanel.get(services, picture())?.state.error;
    assert.deepEqual([broken?.action?.label, broken?.others?.[0]?.label], ["Edit Contract", "Probe…"]);
    await inspectorPanel.get(services, picture())?.fix("inspector.contract");
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, contract());
    const inspector = inspectorPanel.get(services, picture());
    assert.ok(inspector);
    const keeping = choosing(
      inspector.fix("inspector.probe").then(() => undefined),
      1,
    );
    await assert.rejects(keeping, { name: "BulwarkError" });
    assert.ok(existsSync(contract()), "the contract stays where it is without consent");
  });
});
