import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../src/engine/backends/index.ts";
import { candidatesOf } from "../../src/engine/probe/candidates.ts";
import type { ContractProbe } from "../../src/shared/probe.ts";
import type { ModelInspection } from "../../src/shared/protocol.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import { colourNetwork, saveModel, writePictures } from "../unit/engine/probe/fixtures.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

let workspace: Workspace;
beforeAll(async () => {
  await useBackend("cpu");
  workspace = newWorkspace();
  const input = candidatesOf(3).find(({ id }) => id === "bytes rgb")?.input ?? {};
  await saveModel(workspace.file("model"), colourNetwork(input));
  await writePictures(workspace.file("pictures.npz"), 64);
});
afterAll(() => workspace.remove());

async function json<T>(...words: string[]): Promise<T> {
  const done = await bulwark(workspace, ...words, "--json");
  expect([done.code, done.stderr]).toEqual([0, expect.not.stringContaining("error ")]);
  return JSON.parse(done.stdout) as T;
}
const contract = (): string => path.join(workspace.file("model"), "model.bulwark.json");
const attack = () => json<AttackDocument>("attack", "--model", "model", "--dataset", "arrays:pictures.npz", "--attack", "fgsm");
const rulesOf = ({ findings }: AttackDocument): string[] => findings.map(({ rule }) => rule);

describe("bulwark probe", () => {
  it("turns an assumed input range, which every result warns of, into a contract that was measured", async () => {
    expect(await json<ModelInspection>("inspect", "model")).toMatchObject({
      contractSource: { kind: "assumed" },
      warnings: [expect.stringMatching(/^RB111: .*0…1 is assumed/)],
    });
    const before = await attack();
    expect(rulesOf(before)).toContain("RB111");
    expect(before.clean.accuracy).toBeLessThan(0.4);

    const looked = await bulwark(workspace, "probe", "model", "--dataset", "arrays:pictures.npz");
    expect(looked.code).toBe(0);
    expect(looked.stdout).toContain("decided: bytes rgb (0…255)");
    expect(existsSync(contract())).toBe(false); // without a terminal nobody can be asked

    const found = await json<ContractProbe>("probe", "model", "--dataset", "arrays:pictures.npz", "--write");
    expect(found).toMatchObject({ decided: true, n: 64, written: contract() });
    expect(readJson<object>(contract())).toMatchObject({ input: { mean: 0, scale: 1, channels: "rgb" }, probe: { n: 64 } });

    const after = await attack();
    expect(rulesOf(after)).not.toContain("RB111");
    expect(after.clean.correct).toBe(found.candidates[0]?.hits);
    expect((await json<ModelInspection>("inspect", "model")).contractSource).toEqual({ kind: "file", text: "model.bulwark.json" });
  });

  it("takes parameters of the data set", async () => {
    const found = await json<ContractProbe>("probe", "model", "--dataset", "arrays:pictures.npz", "--dataset-set", "testShare=0.25");
    expect(found).toMatchObject({ dataset: "arrays:pictures.npz?testShare=0.25", split: "test" });
    expect(found.n).toBeLessThan(64); // those that are for testing
    const wrong = await bulwark(workspace, "probe", "model", "--dataset", "arrays:pictures.npz", "--dataset-set", "testSare=0.25");
    expect([wrong.code, wrong.stderr]).toEqual([3, expect.stringContaining("testSare")]);
  });

  it("says what is missing", async () => {
    const done = await bulwark(workspace, "probe", "model");
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining("--dataset is missing")]);
  });
});
