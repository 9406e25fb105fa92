import { writeFile } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { asBulwarkError, BulwarkError, toErrorData } from "../../shared/errors.ts";
import { workspaceFolder } from "../../shared/runs.ts";
import { chooseModel, pick, scoresAttack } from "../choose.ts";
import { type FoundData, findData } from "../data.ts";
import { isRecord, makeFolder } from "../files.ts";
import { knownSets, type ModelShape, misfit, picturesKind } from "../fit.ts";
import { type OpenedShape, shapeOf } from "../modelShape.ts";
import type { StartedRun } from "../runs.ts";
import type { Services } from "../services.ts";
import { rootFolder, toPath } from "../workspace.ts";
import { evaluateUnlabelled } from "./evaluateUnlabelled.ts";
import { run } from "./experiments.ts";
import { fetchable, fetchDataset } from "./fetchDataset.ts";

/**
 * Evaluates a model on labelled pictures: writes an experiment and runs it, so that what was done can be read, changed and repeated. On
 * pictures without labels it counts the predictions that an attack changes. Without a model given, asks for one.
 */
export async function evaluateModel(services: Services, resource?: unknown, options?: unknown): Promise<unknown> {
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  const shape = await shapeOf(services, model);
  const spec = specOf(options) ?? (await askData(services, shape));
  const [kind = "", ...rest] = spec.split(":");
  const dataPath = rest.join(":");
  // What the literature uses for grayscale digits, and 8/255 for photographs.
  const eps = shape.input[2] === 1 ? 0.3 : 8 / 255;
  if (kind === picturesKind) return evaluateUnlabelled(services, { model, folder: dataPath, eps });
  const evaluate = (onBroken: "stop" | "skip"): Promise<unknown> =>
    runEvaluation(services, { model, kind, path: dataPath, tests: testsOf(shape, eps), onBroken });
  try {
    return await evaluate("stop");
  } catch (thrown) {
    if (asBulwarkError(thrown)?.code !== "IMAGE_INVALID" || kind !== "imageFolder") throw thrown;
    const skip = "Skip Broken Pictures";
    services.log.error(thrown instanceof Error ? thrown : String(thrown));
    return (await vscode.window.showErrorMessage(toErrorData(thrown).message, skip)) === skip ? evaluate("skip") : undefined;
  }
}

interface Evaluation {
  readonly model: string;
  readonly kind: string;
  /** Empty where the kind alone says where the data are. */
  readonly path: string;
  readonly tests: Readonly<Record<string, unknown>>;
  readonly onBroken: "stop" | "skip";
}

/** How many images are attacked by what, and what is explained. A model that gives scores only takes many passes an image. */
function testsOf({ input, forwardOnly }: OpenedShape, eps: number): Evaluation["tests"] {
  if (forwardOnly) {
    const { id, params } = scoresAttack(input);
    return { test: 50, attacks: [{ kind: id, ...params }] };
  }
  const attacks = [
    { kind: "fgsm", eps },
    { kind: "pgd", eps, steps: 40, stepSize: eps / 16 },
  ];
  return { test: 200, attacks, explanations: [{ kind: "gradCam", samples: 4 }] };
}

/** The report opens when it is done: it was asked for. */
async function runEvaluation(services: Services, { model, kind, path: data, tests, onBroken }: Evaluation): Promise<unknown> {
  const { test, ...measured } = tests;
  const experiment = {
    seed: 1,
    dataset: { kind, ...(data === "" ? {} : { path: data }), ...(onBroken === "skip" ? { onBroken } : {}), test },
    model: { file: model },
    ...measured,
  };
  const folder = path.join(rootFolder(model), workspaceFolder, "experiments");
  const file = path.join(folder, `evaluate-${path.basename(path.dirname(model))}.bulwark.jsonc`);
  makeFolder(folder);
  await writeFile(file, `${JSON.stringify(experiment, null, 2)}\n`);
  const open = ({ id }: StartedRun): void => void vscode.commands.executeCommand(commands.openReport, id);
  return run(services, file, "evaluate", undefined, open);
}

/** A data set by its name, or what a page or a script hands over; menus hand other things as second argument. */
const specOf = (options: unknown): string | undefined => {
  const named = isRecord(options) ? options["spec"] : options;
  return typeof named === "string" ? named : undefined;
};

type Choice = vscode.QuickPickItem & { readonly spec?: string; readonly fetch?: string };

/** What fits the model comes first; what may not says why; what can be fetched is fetched, and then goes on. One that fits: no question. */
async function askData(services: Services, shape: ModelShape): Promise<string> {
  const found = (await findData()).map((data) => ({ data, why: misfit(data, shape) }));
  const labelled = found.filter(({ data, why }) => why === null && data.kind !== picturesKind);
  const [only] = labelled;
  if (only && labelled.length === 1) return only.data.spec;
  const offered = choices(found, shape);
  if (offered.length === 0)
    throw new BulwarkError(
      "DATASET_EMPTY",
      "There are no pictures in this folder.",
      "Add some, in one folder for each class or without labels.",
    );
  const chosen = await pick(offered, "Evaluate on which pictures?");
  if (chosen.fetch !== undefined) await fetchDataset(services, chosen.fetch);
  return chosen.spec ?? chosen.fetch ?? "";
}

function choices(found: readonly { readonly data: FoundData; readonly why: string | null }[], shape: ModelShape): Choice[] {
  const group = (label: string, items: readonly Choice[]): Choice[] =>
    items.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...items];
  const item = ({ data, why }: (typeof found)[number]): Choice => ({
    label: data.label,
    description: data.detail,
    spec: data.spec,
    ...(why === null ? {} : { detail: `May not fit: ${why}.` }),
  });
  const isUnlabelled = ({ data }: (typeof found)[number]): boolean => data.kind === picturesKind;
  const unlabelled = found.filter(isUnlabelled).map(
    (one): Choice => ({
      ...item(one),
      detail: "The model's own predictions count as the truth: what is counted is how many of them an attack changes.",
    }),
  );
  const missing = fetchable.filter(({ kind }) => !found.some(({ data }) => data.kind === kind));
  const fits = (kind: string): boolean => knownSets[kind]?.input.every((size, i) => (shape.input[i] ?? size) === size) === true;
  const offers = missing
    .filter(({ kind }) => fits(kind))
    .map(({ kind, label, detail }): Choice => ({ label: `$(cloud-download) Fetch ${label}`, description: detail, fetch: kind }));
  const labelled = found.filter((one) => !isUnlabelled(one));
  return [
    ...group("Fits the model", labelled.filter(({ why }) => why === null).map(item)),
    ...group("Without labels", unlabelled),
    ...group("Not here yet", offers),
    ...group("May not fit", labelled.filter(({ why }) => why !== null).map(item)),
  ];
}
