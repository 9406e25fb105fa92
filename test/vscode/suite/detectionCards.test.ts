import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { findData } from "../../../src/extension/data.ts";
import { picturesKind } from "../../../src/extension/fit.ts";
import { readKept } from "../../../src/extension/panels/inspector/file.ts";
import { inspectorPanel } from "../../../src/extension/panels/inspector/inspector.ts";
import { panels } from "../../../src/shared/contributions.ts";
import type { DetectionParams } from "../../../src/shared/detectionCards.ts";
import { attackedPicture, bulwark, closeAll, eventually, pictureAndModel, workspace } from "../support.ts";

const mvm = { id: "varianceMinimization", params: { ratio: 0.5, runs: 20 } };
const params = (change: Partial<DetectionParams> = {}): DetectionParams => ({
  detector: mvm,
  iteration: null,
  threshold: { falsePositiveRate: 0.05 },
  ...change,
});

/** Data that other tests have left in the open folder are out of sight while `work` goes on. */
async function withoutData(work: () => Promise<void>): Promise<void> {
  const moved: { readonly from: string; readonly to: string }[] = [];
  for (const { directory: from, kind } of await findData()) {
    // Pictures without labels stay, the open folder's own among them; what lies in a folder that was moved is moved with it.
    if (kind === picturesKind || !existsSync(from)) continue;
    const to = `${workspace()}-aside-${moved.length}`;
    renameSync(from, to);
    moved.push({ from, to });
  }
  try {
    await work();
  } finally {
    for (const { from, to } of moved.reverse()) renameSync(to, from);
  }
}

/** A folder of labelled digits, one class folder each, in the open folder while `work` goes on. */
async function withDigits(work: () => Promise<void>): Promise<void> {
  const folder = path.join(workspace(), "digits");
  for (const [digit, name] of Object.entries({ 0: "zero", 1: "one", 2: "two", 4: "four", 7: "seven", 9: "nine" })) {
    mkdirSync(path.join(folder, "test", digit), { recursive: true });
    copyFileSync(path.join(workspace(), `${name}.png`), path.join(folder, "test", digit, "0.png"));
  }
  try {
    await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the detector's card", () => {
  afterEach(closeAll);

  it("has votes and pictures of both images, reads them by another threshold without asking, and comes back after a reload", async () => {
    const { services } = await bulwark();
    const { inspector, result } = await attackedPicture();
    const found = await inspector.card("detection", params());
    assert.ok(found?.adversarial);
    for (const side of [found.clean, found.adversarial]) {
      assert.equal(
        side.votes?.reduce((sum, { votes }) => sum + votes, 0),
        20,
      );
      assert.ok(side.units.length > 0);
      for (const file of [side.image, ...side.units.map(({ map }) => map ?? "")])
        assert.ok(existsSync(path.join(result.directory, file)), file);
    }
    const other = params({ threshold: { value: 0.7 } });
    assert.equal(await inspector.card("detection", other), found, "the same answer, not another one");
    assert.deepEqual(inspector.state.cards.detection?.params.threshold, { value: 0.7 });
    const early = await inspector.card("detection", { ...other, iteration: 1 });
    assert.equal(early?.adversarial?.prediction.index, result.before.prediction.index);
    await inspector.card("detection", other);

    const { directory } = inspector;
    const { image } = await pictureAndModel();
    await closeAll();
    await eventually("the inspector is closed", () => !inspectorPanel.get(services, image));
    const panel = vscode.window.createWebviewPanel(panels.inspector, "restored", vscode.ViewColumn.One);
    const back = await inspectorPanel.restore(services, panel, directory);
    assert.deepEqual(back?.state.cards.detection?.result, found);
    assert.deepEqual(back.state.cards.detection.params, other);
    const again = await back.card("detection", params({ threshold: { falsePositiveRate: 0.1 } }));
    assert.deepEqual(again, found);
    assert.equal(back.state.cards.detection.result, again, "nothing was computed again");
  });

  it("scores clean images of the folder, and keeps them when the image is attacked again with the same model", () =>
    withoutData(async () => {
      const { inspector } = await attackedPicture();
      const found = await inspector.card("detection", params());
      assert.ok(found);
      const calibration = { detector: found.detector, data: null, images: 50 };
      assert.equal(await inspector.card("calibration", calibration), undefined);
      const { error } = inspector.state.cards.calibration ?? {};
      assert.equal(error?.error.code, "DATASET_EMPTY");
      assert.match(error.action?.label ?? "", /^Fetch Data Set/);
      await withDigits(async () => {
        const clean = await inspector.card("calibration", calibration);
        assert.equal(clean?.n, 6);
        assert.ok(clean.scores.length > 0 && clean.scores.length <= 6);
        assert.deepEqual(clean.detector, found.detector);
        const data = inspector.state.cards.calibration?.params.data;
        assert.equal(data, `imageFolder:${path.join(workspace(), "digits")}`);
        await inspector.answer({ kind: "rerun", attack: { id: "fgsm", params: { eps: 0.3 } }, defenses: [] });
        await eventually("the detector is asked again", () => inspector.state.cards.detection?.status === "done");
        assert.equal(inspector.state.cards.calibration?.result, clean, "scores of clean images hold for any attack");
        await eventually("they are written down", async () => (await readKept(inspector.directory)).cards.calibration !== undefined);
        await inspector.answer({
          kind: "rerun",
          attack: { id: "fgsm", params: { eps: 0.3 } },
          defenses: [{ id: "bitDepth", params: { depth: 2 } }],
        });
        assert.equal(inspector.state.cards.calibration, undefined, "not for another defence in front");
      });
    }));

  it("offers a way out of settings that are wrong, and is cancelled by itself", async () => {
    const { inspector } = await attackedPicture();
    const wrong = { ...mvm, params: { ratio: -1 } };
    assert.equal(await inspector.card("detection", params({ detector: wrong })), undefined);
    const { error } = inspector.state.cards.detection ?? {};
    assert.equal(error?.error.code, "PARAMETER_INVALID");
    assert.equal(error.action?.id, "inspector.detectorDefaults");
    assert.ok(await inspector.fix("inspector.softmaxEntropy"));
    const plain = inspector.state.cards.detection?.result;
    assert.deepEqual([plain?.detector.id, plain?.clean.votes], ["softmaxEntropy", null]);
    const long = inspector.card("detection", params({ detector: { ...mvm, params: { ...mvm.params, runs: 200_000 } } }));
    await eventually("the progress is shown", () => (inspector.state.cards.detection?.progress?.done ?? 0) > 0);
    await inspector.answer({ kind: "cancelCard", id: "detection" });
    assert.equal(await long, undefined);
    assert.equal(inspector.state.cards.detection?.status, "cancelled");
    assert.equal(inspector.state.cards.detection?.result, plain, "the last answer stays");
  });
});
