import path from "node:path";
import * as vscode from "vscode";
import { BulwarkError, cancelled } from "../../shared/errors.ts";
import { plural } from "../../shared/format.ts";
import { scoresAttack } from "../choose.ts";
import { askData, specOf } from "../chooseData.ts";
import { type OpenedShape, shapeOf } from "../modelShape.ts";
import { findModels } from "../models.ts";
import type { Services } from "../services.ts";
import { toPath } from "../workspace.ts";
import { epsOf, evaluateWritten } from "./evaluateModel.ts";

/**
 * Compares models on one data set: their accuracy over the size of an attack, what transfers between them, how far images are from the
 * boundary, their kernels, and how their layers see two classes. The report shows all of it. What is measured is written as an experiment.
 * @param resource a model, as menus hand it over; `selected` all that are selected, and `options` a data set by its name
 */
export async function compareModels(services: Services, resource?: unknown, selected?: unknown, options?: unknown): Promise<unknown> {
  const given = [...new Set((Array.isArray(selected) ? selected : [resource]).flatMap((one) => toPath(one) ?? []))];
  const models = given.length > 1 ? given : await askModels(services, given);
  const opened: OpenedShape[] = [];
  for (const model of models) opened.push(await shapeOf(services, model));
  requireOneTask(models, opened);
  const [first] = opened as [OpenedShape, ...OpenedShape[]];
  const spec = specOf(options) ?? (await askData(services, first, "labelled"));
  const names = namesOf(models);
  const [own, ...others] = models.map((file, i) => ({ name: names[i] as string, model: { file } })) as [Arm, ...Arm[]];
  const experiment = { name: names.join(", "), arm: own.name, model: own.model, compare: others, ...testsOf(opened) };
  return evaluateWritten(services, { model: own.model.file, name: "compare", spec, experiment });
}

interface Arm {
  readonly name: string;
  readonly model: { readonly file: string };
}

/** @param chosen those that are ticked already. @throws NO_MODEL, CANCELLED */
async function askModels(services: Services, chosen: readonly string[]): Promise<string[]> {
  const found = await findModels(services.runs);
  if (found.length < 2)
    throw new BulwarkError(
      "NO_MODEL",
      `There ${found.length === 0 ? "is no model" : "is one model"} in this folder; a comparison takes two or more.`,
      "Copy another ONNX, Keras or TensorFlow.js model into it, or train one with an experiment.",
    );
  const items = found.map(({ label, detail, path: file }) => ({ label, description: detail, file, picked: chosen.includes(file) }));
  const options = { placeHolder: "Which models? Choose two or more.", canPickMany: true, matchOnDescription: true } as const;
  const picked = await vscode.window.showQuickPick(items, options);
  if (!picked || picked.length === 0) throw cancelled();
  if (picked.length < 2) throw new BulwarkError("USAGE", "A comparison takes two or more models.", "Choose another one beside it.");
  return picked.map(({ file }) => file);
}

/** One data set is for all of them. @throws MODEL_MISMATCH */
function requireOneTask(models: readonly string[], opened: readonly OpenedShape[]): void {
  const told = ({ input, classes }: OpenedShape): string =>
    `images of ${input.map((size) => size ?? "any").join("×")} and ${plural(classes, "class", "classes")}`;
  const [first] = opened as [OpenedShape, ...OpenedShape[]];
  const fits = ({ input, classes }: OpenedShape): boolean =>
    classes === first.classes && input.every((size, i) => size === null || first.input[i] === null || size === first.input[i]);
  const other = opened.findIndex((shape) => !fits(shape));
  if (other < 0) return;
  const [a, b] = [path.basename(models[0] as string), path.basename(models[other] as string)];
  throw new BulwarkError(
    "MODEL_MISMATCH",
    `${a} is for ${told(first)}, ${b} for ${told(opened[other] as OpenedShape)}.`,
    "Compare models that take the same images and tell the same classes apart.",
  );
}

/** Named after their files, a model.json after its folder; those of one name are numbered. */
function namesOf(models: readonly string[]): string[] {
  const plain = models.map((file) => {
    const { name } = path.parse(file);
    return name === "model" ? path.basename(path.dirname(file)) : name;
  });
  return plain.map((name, i) => {
    const earlier = plain.slice(0, i).filter((one) => one.toLowerCase() === name.toLowerCase()).length;
    return earlier === 0 ? name : `${name} (${earlier + 1})`;
  });
}

/** Attacks and analyses; where a model gives scores only, those that need no gradients. */
function testsOf(opened: readonly OpenedShape[]): Readonly<Record<string, unknown>> {
  const [{ input }] = opened as [OpenedShape, ...OpenedShape[]];
  if (opened.some(({ forwardOnly }) => forwardOnly)) {
    const { id, params } = scoresAttack(input);
    return { test: 50, attacks: [{ kind: id, ...params }], analyses: [{ kind: "transferMatrix", attack: id }, { kind: "singularValues" }] };
  }
  const eps = epsOf(input);
  const sizes = [0.25, 0.5, 1, 1.5].map((share) => share * eps);
  return {
    test: 200,
    attacks: [{ kind: "fgsm", eps }, { kind: "pgd", eps, steps: 40, stepSize: eps / 16 }, { kind: "deepFool" }],
    analyses: [
      { kind: "robustnessCurve", attack: "pgd", over: "eps", values: sizes, images: 100 },
      { kind: "transferMatrix", attack: "pgd" },
      { kind: "minimalDistance" },
      { kind: "singularValues" },
      { kind: "tsne", attack: "fgsm" },
    ],
  };
}
