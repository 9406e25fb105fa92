import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { unsupportedFormats } from "../../shared/modelFormats.ts";
import { runFiles } from "../../shared/runs.ts";
import { exists, isDirectory } from "../io/files.ts";

/**
 * The `model.json` for a file, a folder that holds one, or a run folder (its `model/`).
 * @throws FILE_NOT_FOUND, MODEL_INVALID for a format that cannot be read.
 */
export async function locateModel(given: string): Promise<string> {
  if (await isDirectory(given)) {
    for (const inside of ["model.json", path.join(runFiles.model, "model.json")])
      if (await exists(path.join(given, inside))) return path.join(given, inside);
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `${given} holds no model.json.`,
      "Name a model.json, its folder, or a run folder with a trained model.",
    );
  }
  if (!(await exists(given))) throw new BulwarkError("FILE_NOT_FOUND", `There is no model ${given}.`, "Check the path.");
  const extension = path.extname(given).toLowerCase();
  const format = unsupportedFormats[extension];
  if (format) {
    throw new BulwarkError(
      "MODEL_INVALID",
      `${path.basename(given)} is ${/^[AEIO]/.test(format) ? "an" : "a"} ${format} model, which is not supported yet.`,
      "Convert it to a TensorFlow.js layers model (model.json).",
    );
  }
  if (extension !== ".json") {
    throw new BulwarkError(
      "MODEL_INVALID",
      `${path.basename(given)} is not a model file.`,
      "Name the model.json of a TensorFlow.js layers model.",
    );
  }
  return given;
}

/** `model.json` → `model.bulwark.json` beside it. */
export const contractFile = (modelFile: string): string => modelFile.replace(/\.json$/i, ".bulwark.json");
