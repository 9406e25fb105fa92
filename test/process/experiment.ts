import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { RunReport } from "../../src/shared/results.ts";
import { readJson, type Workspace, writeData } from "./support.ts";

/** Two arms of a small network on made-up pictures, three epochs and two attacks: seconds of work, with something to interrupt. */
export async function writeExperiment(workspace: Workspace, more: Record<string, unknown> = {}): Promise<string> {
  await writeData(workspace);
  const experiment = {
    name: "small",
    seed: 5,
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
    model: { kind: "papernot" },
    train: { epochs: 3, batchSize: 8, learningRate: 0.001, validation: 0.2 },
    attacks: [
      { kind: "fgsm", eps: 0.1 },
      { kind: "pgd", eps: 0.2, steps: 20, stepSize: 0.02 },
    ],
    explanations: [{ kind: "gradCam", samples: 1 }],
    compare: [{ name: "again", defense: { kind: "standard" }, train: { epochs: 2 } }],
    ...more,
  };
  return workspace.write("small.bulwark.jsonc", JSON.stringify(experiment));
}

/** What a run found, less what a clock or a folder decides. */
export function figuresOf(directory: string): unknown {
  const report = readJson<RunReport>(path.join(directory, "report.json"));
  return report.arms.map((arm) => ({
    name: arm.name,
    clean: arm.clean,
    epochs: arm.training?.epochs,
    attacks: arm.attacks.map(({ attack, n, clean, attacked, successRate, norms, gradientEvaluations }) => ({
      attack,
      n,
      clean,
      attacked,
      successRate,
      norms,
      gradientEvaluations,
    })),
    explanations: arm.explanations,
  }));
}

const results = /^(model.*\/weights\.bin|adversarial.*\.npz|dataset\.json|ledger\.npz|images\/.*\.png)$/;

/** Hashes of weights, adversarial images, pictures and the ledger of a run, by name. */
export function hashesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => results.test(name));
  return Object.fromEntries(
    names.sort().map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(path.join(directory, name)))
        .digest("hex"),
    ]),
  );
}
