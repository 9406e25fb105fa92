import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleNames, sampleOf } from "../../src/extension/samples.ts";
import { type AttackImageResult, type ModelInspection, requests } from "../../src/shared/protocol.ts";
import { type EngineHandle, newWorkspace, startEngine, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
/** What the editor attacks with when nobody has chosen anything yet. */
const first = { photos: {}, digits: { eps: 0.3 } };

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

const attack = (name: keyof typeof first, image: string, directory: string): Promise<AttackImageResult> => {
  const { model } = sampleOf(root, name);
  const params = { image, model, attack: { id: "fgsm", params: first[name] }, seed: 1, directory: workspace.file(directory) };
  return engine.request(requests.attackImage, { ...params, token: directory });
};

describe.each(sampleNames)("the sample of %s", (name) => {
  const { image, model, pictures } = sampleOf(root, name);

  it("is a network that says what its classes are called", async () => {
    const inspection: ModelInspection = await engine.request(requests.inspectModel, { model });
    expect(inspection.warnings).toEqual([]);
    expect(inspection.classes).toBe(10);
  });

  it("shows a picture that is classified right, and fooled by the first attack", async () => {
    const { before, after, success, successAfter8Bit } = await attack(name, image, `${name}-demo`);
    const truth = path.basename(path.dirname(image));
    expect(before.prediction.name).toBe(truth);
    expect(after.prediction.name).not.toBe(truth);
    expect([success, successAfter8Bit]).toEqual([true, true]);
  });

  it("classifies each of its pictures as its folder says", async () => {
    for (const truth of readdirSync(pictures))
      for (const picture of readdirSync(path.join(pictures, truth))) {
        const { before } = await attack(name, path.join(pictures, truth, picture), `${name}-${picture}`);
        expect([picture, before.prediction.name]).toEqual([picture, truth]);
      }
  });
});
