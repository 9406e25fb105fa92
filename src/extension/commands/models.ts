import { writeFile } from "node:fs/promises";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { workspaceFolder } from "../../shared/runs.ts";
import { askAttack, askImage, chooseModel, pick, rememberModel } from "../choose.ts";
import { findData } from "../data.ts";
import { makeFolder } from "../files.ts";
import type { Services } from "../services.ts";
import { requireTrust, rootFolder, toPath } from "../workspace.ts";
import { attackImage } from "./attackImage.ts";
import { run } from "./experiments.ts";

/** An image of the folder against this model. */
export async function attackModel(services: Services, resource?: unknown): Promise<unknown> {
  requireTrust();
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  rememberModel(services, model);
  const image = await askImage();
  const attack = await askAttack(services, model);
  return attackImage(services, image, { model, attack: attack.id, params: attack.params });
}

/** Grayscale digits are attacked with the strength that the literature uses for them, photographs with 8/255. */
const strengthOf = (dataset: string): number => (/mnist/i.test(dataset) ? 0.3 : 8 / 255);

/** Writes an experiment about the model and runs it: what was done can be read, changed and repeated. */
export async function evaluateModel(services: Services, resource?: unknown, options?: unknown): Promise<unknown> {
  requireTrust();
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  const dataset = typeof options === "string" ? options : await askDataset();
  const [kind = "", ...rest] = dataset.split(":");
  const dataPath = rest.join(":");
  const eps = strengthOf(kind);
  const experiment = {
    seed: 1,
    dataset: { kind, ...(dataPath === "" ? {} : { path: dataPath }), test: 200 },
    model: { file: model },
    attacks: [
      { kind: "fgsm", eps },
      { kind: "pgd", eps, steps: 40, stepSize: eps / 16 },
    ],
    explanations: [{ kind: "gradCam", samples: 4 }],
  };
  const folder = path.join(rootFolder(model), workspaceFolder, "experiments");
  const file = path.join(folder, `evaluate-${path.basename(path.dirname(model))}.bulwark.jsonc`);
  makeFolder(folder);
  await writeFile(file, `${JSON.stringify(experiment, null, 2)}\n`);
  return run(services, file, "evaluate");
}

async function askDataset(): Promise<string> {
  const found = await findData();
  const [only] = found;
  if (!only)
    throw new BulwarkError(
      "DATASET_EMPTY",
      "There are no labelled images in this folder.",
      "Fetch a data set, or add a folder for each class.",
    );
  if (found.length === 1) return only.spec;
  const items = found.map((data) => ({ label: data.label, description: data.detail, spec: data.spec }));
  return (await pick(items, "Which data?")).spec;
}
