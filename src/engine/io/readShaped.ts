import { BulwarkError } from "../../shared/errors.ts";
import { readAs, type Shape } from "../../shared/shapes.ts";
import { readText } from "./files.ts";

/**
 * A JSON file of a run folder, which may come from anybody.
 * @param fix what to do where it is damaged
 * @throws RUN_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function readShaped<T>(file: string, shape: Shape<T>, fix: string): Promise<T> {
  const read = readAs(shape, await readText(file));
  if ("value" in read) return read.value;
  throw new BulwarkError("RUN_INVALID", `${file} is damaged: ${read.wrong}.`, fix);
}
