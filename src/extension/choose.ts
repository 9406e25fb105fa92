import path from "node:path";
import * as vscode from "vscode";
import { entriesOf } from "../shared/catalog.ts";
import { imageExtensions } from "../shared/contributions.ts";
import { BulwarkError, cancelled } from "../shared/errors.ts";
import type { FitRule } from "../shared/fit.ts";
import { age } from "./age.ts";
import { exists } from "./files.ts";
import { type FoundModel, findModels, findUnreadable, isGrayscale } from "./models.ts";
import { sampleNames, sampleOf } from "./samples.ts";
import type { Services } from "./services.ts";
import type { RunEntry } from "./views/runIndex.ts";
import { shortPath } from "./workspace.ts";

/** A pick that may be given up: then the command ends quietly. */
export async function pick<T extends vscode.QuickPickItem>(items: readonly T[], placeHolder: string): Promise<T> {
  const chosen = await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true });
  if (!chosen) throw cancelled();
  return chosen;
}

/** Last choice first. */
export const lastFirst = <T>(items: readonly T[], isLast: (item: T) => boolean): T[] => [
  ...items.filter(isLast),
  ...items.filter((i) => !isLast(i)),
];

const lastModelKey = "lastModel";
const lastAttackKey = "lastAttack";

export interface ModelChoice {
  /** Ask even where the last choice still holds. */
  readonly ask: boolean;
}
/** One model: no question. @throws NO_MODEL when there is none, CANCELLED */
export async function chooseModel(services: Services, { ask }: ModelChoice): Promise<string> {
  const last = services.context.workspaceState.get<string>(lastModelKey);
  if (!ask && last !== undefined && (await exists(last))) return last;
  const models = await findModels(services.runs);
  const [only] = models;
  if (!only) throw await noModel();
  const chosen = models.length === 1 ? only : await askModel(models, last);
  rememberModel(services, chosen.path);
  return chosen.path;
}
async function noModel(): Promise<BulwarkError> {
  const [unreadable] = await findUnreadable();
  const message = unreadable
    ? `${path.basename(unreadable.path)} is of a kind that cannot be opened yet (${unreadable.format}), and there is no other model in this folder.`
    : "There is no model in this folder.";
  return new BulwarkError(
    "NO_MODEL",
    message,
    "Copy an ONNX file or a TensorFlow.js model (model.json with its weights) into it, or train one with an experiment.",
  );
}

export const rememberModel = (services: Services, model: string): void => void services.context.workspaceState.update(lastModelKey, model);

/** Asks for a model, of those that were found, the samples' or any file, the last choice first. @throws CANCELLED */
export async function askForModel(services: Services): Promise<string> {
  const last = services.context.workspaceState.get<string>(lastModelKey);
  const found = lastFirst(await findModels(services.runs), (model) => model.path === last);
  const items = found.map((model) => ({ label: model.label, description: model.detail, path: model.path }));
  const samples = sampleNames.map((name) => {
    const { title, model } = sampleOf(services.context.extensionPath, name);
    return { label: `$(beaker) ${title}`, description: "small network that comes with Bulwark", path: model };
  });
  const chosen = await pick([...items, ...samples, { label: "$(folder-opened) Another file…", description: "", path: "" }], "Which model?");
  const file = chosen.path === "" ? await browse("Open Model", { "ONNX or TensorFlow.js model": ["onnx", "json"] }) : chosen.path;
  rememberModel(services, file);
  return file;
}
async function browse(openLabel: string, filters: Readonly<Record<string, string[]>>): Promise<string> {
  const [file] = (await vscode.window.showOpenDialog({ openLabel, filters })) ?? [];
  if (!file) throw cancelled();
  return file.fsPath;
}

async function askModel(models: readonly FoundModel[], last: string | undefined): Promise<FoundModel> {
  const items = lastFirst(models, (model) => model.path === last).map((model) => ({
    label: model.label,
    description: model.detail,
    model,
  }));
  return (await pick(items, "Which model?")).model;
}

const fitsKey = "fits";
/** How pictures of another size are fitted for a model, as it was chosen last; null as its contract says. */
export const fitOf = (services: Services, model: string): FitRule | null =>
  services.context.workspaceState.get<Readonly<Record<string, FitRule>>>(fitsKey)?.[model] ?? null;
export function rememberFit(services: Services, model: string, rule: FitRule): void {
  const fits = services.context.workspaceState.get<Readonly<Record<string, FitRule>>>(fitsKey);
  void services.context.workspaceState.update(fitsKey, { ...fits, [model]: rule });
}

export interface AttackChoice {
  readonly id: string;
  readonly params: Readonly<Record<string, unknown>>;
}
type Remembered = Readonly<Record<string, AttackChoice>>;
/** The attack that was chosen last for this model. */
export function lastAttack(services: Services, model: string): AttackChoice | undefined {
  const last = services.context.workspaceState.get<Remembered>(lastAttackKey)?.[model];
  return last !== undefined && services.catalog.current.some((entry) => entry.kind === "attack" && entry.id === last.id) ? last : undefined;
}
/** The first attack of all: what the literature uses for grayscale digits, and the attack's own default (8/255) for photographs. */
export const firstAttack = async (model: string): Promise<AttackChoice> => ({
  id: "fgsm",
  params: (await isGrayscale(model)) ? { eps: 0.3 } : {},
});
/** The first attack where a model gives scores only: one hundredth of the pixels, and a search that a person waits for. */
export const scoresAttack = ([height, width]: readonly (number | null)[]): AttackChoice => ({
  id: "sparseRs",
  params: { pixels: Math.max(1, Math.round(((height ?? 224) * (width ?? 224)) / 100)), queries: 300 },
});
export function rememberAttack(services: Services, attack: AttackChoice, model: string): void {
  const all = services.context.workspaceState.get<Remembered>(lastAttackKey);
  void services.context.workspaceState.update(lastAttackKey, { ...all, [model]: attack });
}

/** @param isForwardOnly the model gives scores only: attacks that need gradients are left out. @throws CANCELLED */
export async function askAttack(services: Services, model: string, isForwardOnly = false): Promise<AttackChoice> {
  const last = lastAttack(services, model);
  const possible = entriesOf(services.catalog.current, "attack").filter(({ access }) => !isForwardOnly || access !== "gradients");
  const entries = lastFirst(possible, (entry) => entry.id === last?.id);
  const items = entries.map((entry) => ({ label: entry.title, description: entry.id, detail: entry.paper, id: entry.id }));
  const { id } = await pick(items, isForwardOnly ? "Which attack? The model gives scores only." : "Which attack?");
  return last?.id === id ? last : { id, params: {} };
}

export async function askImage(): Promise<string> {
  const files = await vscode.workspace.findFiles(`**/*.{${imageExtensions.join(",")}}`, "**/{node_modules,.git,.bulwark}/**", 1000);
  if (files.length === 0)
    throw new BulwarkError("NO_IMAGE", "There is no image in this folder.", "Copy a PNG, JPEG, WebP or BMP file into it.");
  const items = files
    .map(({ fsPath }) => ({ label: path.basename(fsPath), description: shortPath(fsPath), file: fsPath }))
    .sort((a, b) => a.description.localeCompare(b.description));
  return (await pick(items, "Which image?")).file;
}

export async function askExperiment(): Promise<string> {
  const files = await vscode.workspace.findFiles("**/*.bulwark.jsonc", "**/{node_modules,.git,.bulwark}/**", 200);
  const [only] = files;
  if (!only)
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      "There is no experiment file in this folder.",
      "Create one with “Bulwark: Create Experiment…”.",
    );
  if (files.length === 1) return only.fsPath;
  const items = files
    .map(({ fsPath }) => ({ label: path.basename(fsPath), description: shortPath(fsPath), file: fsPath }))
    .sort((a, b) => a.description.localeCompare(b.description));
  return (await pick(items, "Which experiment?")).file;
}

export async function askRun(services: Services, accept: (run: RunEntry) => boolean, placeHolder: string): Promise<RunEntry> {
  const runs = (await services.runs.all()).filter(accept);
  if (runs.length === 0) throw new BulwarkError("RUN_NOT_FOUND", "There is no such run in this folder.", "Run an experiment first.");
  const items = runs.map((run) => ({
    label: run.state.title,
    description: `${run.state.status} · ${age(run.state.createdAt)}`,
    detail: run.id,
    run,
  }));
  return (await pick(items, placeHolder)).run;
}
