import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { savedModelFile } from "../../shared/modelFormats.ts";
import { runFiles } from "../../shared/runs.ts";
import { exists, isDirectory } from "../io/files.ts";
import { formatOf, unsupported } from "./format.ts";

/**
 * The model file for a file, a folder that holds a `model.json`, `model.onnx`, `model.keras` or `model.h5`, or a run folder (its `model/`).
 * @throws FILE_NOT_FOUND, MODEL_INVALID for a format that cannot be read.
 */
export async function locateModel(given: string): Promise<string> {
  if (await isDirectory(given)) {
    for (const inside of ["model.json", path.join(runFiles.model, "model.json"), "model.onnx", "model.keras", "model.h5"])
      if (await exists(path.join(given, inside))) return path.join(given, inside);
    if (await exists(path.join(given, savedModelFile))) throw unsupported(path.basename(given), "TensorFlow SavedModel");
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `${given} holds no model.json, model.onnx, model.keras or model.h5.`,
      "Name a model.json, an ONNX or Keras file, the folder of one, or a run folder with a trained model.",
    );
  }
  if (!(await exists(given))) throw new BulwarkError("FILE_NOT_FOUND", `There is no model ${given}.`, "Check the path.");
  if (path.basename(given) === savedModelFile) throw unsupported(path.basename(path.dirname(path.resolve(given))), "TensorFlow SavedModel");
  await formatOf(given);
  return given;
}

/** `model.json` → `model.bulwark.json` beside it, and any other file likewise. */
export const contractFile = (modelFile: string): string =>
  path.join(path.dirname(modelFile), `${path.basename(modelFile, path.extname(modelFile))}.bulwark.json`);
