import path from "node:path";
import * as vscode from "vscode";
import { plural } from "../shared/format.ts";
import { singleFileEndings, unsupportedFormats } from "../shared/modelFormats.ts";
import { runFiles } from "../shared/runs.ts";
import { contractFileOf } from "./contractFile.ts";
import { exists, foldersIn, isRecord, openPlain, readJson } from "./files.ts";
import type { RunIndex } from "./views/runIndex.ts";
import { shortPath } from "./workspace.ts";

export interface FoundModel {
  /** model.json, or an ONNX or Keras file. */
  readonly path: string;
  readonly label: string;
  readonly detail: string;
  /** The run that trained it. */
  readonly run: string | undefined;
  /** The run's headline is about its first arm. */
  readonly isFirstArm: boolean;
}

/** TensorFlow.js models, ONNX and Keras files of the workspace, and models that finished runs have trained, newest run first. */
export async function findModels(runs: RunIndex): Promise<FoundModel[]> {
  const files = await vscode.workspace.findFiles("**/model.json", "**/{node_modules,.git,.bulwark}/**", 200);
  const models: FoundModel[] = [];
  for (const { fsPath } of files.sort((a, b) => a.fsPath.localeCompare(b.fsPath)))
    if (await isModelJson(fsPath)) models.push(foundFile(fsPath, path.basename(path.dirname(fsPath))));
  return [...models, ...(await singleFileModels()), ...(await trainedModels(runs))];
}

/** A model of the workspace that no run has trained. */
const foundFile = (file: string, label: string): FoundModel => ({
  path: file,
  label,
  detail: shortPath(file),
  run: undefined,
  isFirstArm: false,
});

async function singleFileModels(): Promise<FoundModel[]> {
  const files = await vscode.workspace.findFiles(
    `**/*.{${singleFileEndings.join(",")}}`,
    "**/{node_modules,.git,.bulwark,.venv,venv}/**",
    200,
  );
  const models: FoundModel[] = [];
  for (const { fsPath } of files.sort((a, b) => a.fsPath.localeCompare(b.fsPath))) {
    const ending = path.extname(fsPath);
    // Data sets are kept as HDF5 too. A whole Keras model names its configuration in the first attributes of the file.
    if (/^\.(h5|hdf5)$/i.test(ending) && !(await headOf(fsPath)).includes("model_config")) continue;
    models.push(foundFile(fsPath, path.basename(fsPath, ending)));
  }
  return models;
}

async function trainedModels(runs: RunIndex): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  for (const run of await runs.all())
    for (const folder of await foldersIn(run.directory)) {
      const file = path.join(run.directory, folder, "model.json");
      if ((folder === runFiles.model || folder.startsWith(`${runFiles.model}-`)) && (await exists(file))) {
        const arm = folder.slice(runFiles.model.length + 1);
        models.push({
          path: file,
          label: `${run.state.title}${arm ? ` · ${arm}` : ""}`,
          detail: shortPath(file),
          run: run.id,
          isFirstArm: arm === "",
        });
      }
    }
  return models;
}

/** A model file of a kind that Bulwark cannot open, and what it is. */
export interface UnreadableModel {
  readonly path: string;
  readonly format: string;
}

/** Model files of the workspace that cannot be opened; the engine says why and what to do when one is asked for. */
export async function findUnreadable(): Promise<UnreadableModel[]> {
  const extensions = Object.keys(unsupportedFormats).map((extension) => extension.slice(1));
  const files = await vscode.workspace.findFiles(`**/*.{${extensions.join(",")}}`, "**/{node_modules,.git,.bulwark,.venv,venv}/**", 50);
  const found = files.map(({ fsPath }) => ({ path: fsPath, format: unsupportedFormats[path.extname(fsPath).toLowerCase()] ?? "unknown" }));
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

/** What a model file says of itself, and the contract beside it: "224 × 224 × 3 · 1,000 classes". No weights are read. */
export async function outlineOf(file: string): Promise<string> {
  const [, sizes = ""] = /"batch_(?:input_)?shape"\s*:\s*\[\s*null\s*,([^\]]*)\]/.exec(await headOf(file)) ?? [];
  const input = sizes.split(",").map((size) => size.trim().replace("null", "any"));
  const contract = await readJson(contractFileOf(file));
  const output = isRecord(contract) ? contract["output"] : undefined;
  const classes = isRecord(output) && Array.isArray(output["classes"]) ? output["classes"].length : await outputsOf(file);
  return [sizes === "" ? "" : input.join(" × "), classes > 0 ? plural(classes, "class", "classes") : ""].filter(Boolean).join(" · ");
}

/** Topologies are small; what is larger than this is read when somebody opens the model. */
const largestTopology = 8e6; // bytes

/** The first file of weights that a model names and that is not beside it; undefined where all are there. */
export async function missingWeights(file: string): Promise<string | undefined> {
  const json = await topologyOf(file);
  const groups = isRecord(json) && Array.isArray(json["weightsManifest"]) ? json["weightsManifest"] : [];
  const names = groups.flatMap((group: unknown) => (isRecord(group) && Array.isArray(group["paths"]) ? group["paths"] : []));
  for (const name of names)
    if (typeof name === "string" && name === path.basename(name) && !(await exists(path.join(path.dirname(file), name)))) return name;
  return undefined;
}

/** A model file whole, where it is no larger than topologies are. */
async function topologyOf(file: string): Promise<unknown> {
  if (!/\.json$/i.test(file)) return undefined; // an ONNX or Keras file says what it holds when somebody opens it
  return readJson(file, largestTopology);
}

/** Classes by the last layer that has units or filters; 0 where the file does not say. One sigmoid output stands for two classes. */
async function outputsOf(file: string): Promise<number> {
  const layers = layersOf(await topologyOf(file));
  for (const layer of [...layers].reverse()) {
    const config = isRecord(layer) ? layer["config"] : undefined;
    const width = isRecord(config) ? (config["units"] ?? config["filters"]) : undefined;
    if (typeof width === "number") return width === 1 ? 2 : width;
    if (isRecord(config) && "layers" in config) return 0; // nested: the order of layers says nothing
  }
  return 0;
}

function layersOf(json: unknown): readonly unknown[] {
  let found = isRecord(json) ? json["modelTopology"] : undefined;
  for (const key of ["model_config", "config"]) if (isRecord(found) && isRecord(found[key])) found = found[key];
  const layers = isRecord(found) ? found["layers"] : found;
  return Array.isArray(layers) ? layers : [];
}

/** A model, not any other JSON that is called model.json. */
const isModelJson = async (file: string): Promise<boolean> => (await headOf(file)).includes('"modelTopology"');

/** The first layer of a model file takes one channel. */
export const isGrayscale = async (file: string): Promise<boolean> =>
  /"batch_?[iI]nput_?[sS]hape"\s*:\s*\[\s*null\s*,\s*\d+\s*,\s*\d+\s*,\s*1\s*\]/.test(await headOf(file));

/** The beginning of a file is enough: topologies can be long. Empty when it cannot be read. */
async function headOf(file: string): Promise<string> {
  const head = await openPlain(file, { links: true }, async (handle) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    return buffer.toString("utf8", 0, bytesRead);
  });
  return head ?? "";
}
