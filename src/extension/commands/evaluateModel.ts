import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { asBulwarkError, toErrorData } from "../../shared/errors.ts";
import { workspaceFolder } from "../../shared/runs.ts";
import { chooseModel, scoresAttack } from "../choose.ts";
import { askData, specOf } from "../chooseData.ts";
import { makeFolder, writeWhole } from "../files.ts";
import { picturesKind } from "../fit.ts";
import { type OpenedShape, shapeOf } from "../modelShape.ts";
import type { StartedRun } from "../runs.ts";
import type { Services } from "../services.ts";
import { rootFolder, toPath } from "../workspace.ts";
import { evaluateUnlabelled } from "./evaluateUnlabelled.ts";
import { run } from "./experiments.ts";

/**
 * Evaluates a model on labelled pictures: writes an experiment and runs it, so that what was done can be read, changed and repeated. On
 * pictures without labels it counts the predictions that an attack changes. Without a model given, asks for one.
 */
export async function evaluateModel(services: Services, resource?: unknown, options?: unknown): Promise<unknown> {
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  const shape = await shapeOf(services, model);
  const spec = specOf(options) ?? (await askData(services, shape));
  const eps = epsOf(shape.input);
  const [kind, folder] = partsOf(spec);
  if (kind === picturesKind) return evaluateUnlabelled(services, { model, folder, eps });
  const name = `evaluate-${path.basename(path.dirname(model))}`;
  return evaluateWritten(services, { model, name, spec, experiment: { model: { file: model }, ...testsOf(shape, eps) } });
}

/** What the literature uses for grayscale digits, and 8/255 for photographs. */
export const epsOf = (input: readonly (number | null)[]): number => (input[2] === 1 ? 0.3 : 8 / 255);

/** `kind:path`; the path is empty where the kind alone says where the data are. */
function partsOf(spec: string): readonly [kind: string, path: string] {
  const [kind = "", ...rest] = spec.split(":");
  return [kind, rest.join(":")];
}

export interface Evaluation {
  /** Decides which of the open folders the experiment is written to. */
  readonly model: string;
  /** Of the experiment's file. */
  readonly name: string;
  /** Data set as `kind` or `kind:path`. */
  readonly spec: string;
  /** What is measured; `test` is the number of images. */
  readonly experiment: Readonly<Record<string, unknown>>;
}

/** Writes an experiment and runs it, and opens its report; where a picture is broken, asks whether to leave such out. */
export async function evaluateWritten(services: Services, evaluation: Evaluation): Promise<unknown> {
  try {
    return await runEvaluation(services, evaluation, "stop");
  } catch (thrown) {
    if (asBulwarkError(thrown)?.code !== "IMAGE_INVALID" || partsOf(evaluation.spec)[0] !== "imageFolder") throw thrown;
    const skip = "Skip Broken Pictures";
    services.log.error(thrown instanceof Error ? thrown : String(thrown));
    return (await vscode.window.showErrorMessage(toErrorData(thrown).message, skip)) === skip
      ? runEvaluation(services, evaluation, "skip")
      : undefined;
  }
}

/** How many images are attacked by what, and what is explained. A model that gives scores only takes many passes an image. */
function testsOf({ input, forwardOnly }: OpenedShape, eps: number): Readonly<Record<string, unknown>> {
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
async function runEvaluation(
  services: Services,
  { model, name, spec, experiment }: Evaluation,
  onBroken: "stop" | "skip",
): Promise<unknown> {
  const { test, ...measured } = experiment;
  const [kind, data] = partsOf(spec);
  const dataset = { kind, ...(data === "" ? {} : { path: data }), ...(onBroken === "skip" ? { onBroken } : {}), test };
  const folder = path.join(rootFolder(model), workspaceFolder, "experiments");
  const file = path.join(folder, `${name}.bulwark.jsonc`);
  makeFolder(folder);
  await writeWhole(file, `${JSON.stringify({ seed: 1, dataset, ...measured }, null, 2)}\n`);
  const open = ({ id }: StartedRun): void => void vscode.commands.executeCommand(commands.openReport, id);
  return run(services, file, "evaluate", undefined, open);
}
