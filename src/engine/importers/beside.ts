import fs from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { systemCode } from "../io/files.ts";

const longestLocation = 255;

const copyFile = "Copy the file with the weights itself beside the model: caches such as Hugging Face's hold links.";
const exportBeside = "Export the model again, with its weights in a file beside it or in the model's own file.";

/** About a file that a model keeps its weights in. */
export const unsafeWeights = (model: string, location: string, where: string, fix = copyFile): BulwarkError =>
  new BulwarkError("MODEL_UNSAFE", `${model} keeps weights in ${JSON.stringify(location)}, ${where}.`, fix);

/**
 * A file in a model's folder that the model names. Models may come from untrusted sources, so nothing outside that folder is named, and no
 * links are followed.
 * @param model path of the model's file
 * @param location as the model writes it, with slashes of either kind
 * @throws MODEL_UNSAFE, FILE_NOT_FOUND
 */
export function fileBeside(model: string, location: string): { readonly place: string; readonly stats: fs.Stats } {
  const parts = location.split(/[/\\]/);
  const refuse = (where: string): never => {
    throw unsafeWeights(model, location, where, exportBeside);
  };
  if (location.length > longestLocation) refuse(`a name of more than ${longestLocation} characters`);
  if (/^[/\\]./.test(location) || parts.some((part) => part === ".." || part.includes(":"))) refuse("outside its folder");
  if (parts.some((part) => part === "" || part === "." || part.includes("\0"))) refuse("which names no file");
  let place = fs.realpathSync(path.dirname(model));
  let stats: fs.Stats | undefined;
  for (const part of parts) {
    place = path.join(place, part);
    stats = statsOf(place, model, location);
    if (stats.isSymbolicLink()) throw unsafeWeights(model, location, "through a link");
  }
  if (!stats?.isFile()) return refuse(stats?.isDirectory() ? "which is a folder" : "which is no ordinary file");
  return { place, stats };
}

function statsOf(place: string, model: string, location: string): fs.Stats {
  try {
    return fs.lstatSync(place);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `The weights of ${model}, ${location}, are not beside it.`,
      "Copy all files of the model into one folder, or export it again.",
    );
  }
}
