import fs from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { systemCode } from "../io/files.ts";

const longestLocation = 255;

/** About a file that a model keeps its weights in. */
export const unsafeWeights = (model: string, location: string, where: string): BulwarkError =>
  new BulwarkError(
    "MODEL_UNSAFE",
    `${model} keeps weights in ${JSON.stringify(location)}, ${where}.`,
    "Copy that file itself beside the model: caches such as Hugging Face's hold links.",
  );

/**
 * A file in a model's folder that the model names. Models may come from untrusted sources, so nothing outside that folder is named, and no
 * links are followed.
 * @param model path of the model's file
 * @param location as the model writes it, with slashes of either kind
 * @throws MODEL_UNSAFE, FILE_NOT_FOUND
 */
export function fileBeside(model: string, location: string): { readonly place: string; readonly stats: fs.Stats } {
  const parts = location.split(/[/\\]/);
  const isOutside = parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0") || part.includes(":"));
  if (isOutside || location.length > longestLocation) throw unsafeWeights(model, location, "outside its folder");
  let place = fs.realpathSync(path.dirname(model));
  let stats: fs.Stats | undefined;
  for (const part of parts) {
    place = path.join(place, part);
    stats = statsOf(place, model, location);
    if (stats.isSymbolicLink()) throw unsafeWeights(model, location, "through a link");
  }
  if (!stats?.isFile()) throw unsafeWeights(model, location, "which is not a file");
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
