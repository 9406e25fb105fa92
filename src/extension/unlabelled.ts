import { writeFile } from "node:fs/promises";
import path from "node:path";
import { count, plural } from "../shared/format.ts";
import type { AttackDocument } from "../shared/results.ts";
import { isRecord, readJson } from "./files.ts";

/** What `pictures.json` says of a run that attacked pictures without labels, beside its result. */
export interface UnlabelledPictures {
  readonly model: string;
  readonly folder: string;
  readonly names: readonly string[];
  /** Pictures that the folder holds. */
  readonly of: number;
  readonly classNames: readonly string[] | null;
}
/** "64 of 300 pictures", "12 pictures". */
export const ofAll = (some: number, all: number): string =>
  some < all ? `${count(some)} of ${plural(all, "picture")}` : plural(all, "picture");

const picturesFile = "pictures.json";

export const writeUnlabelled = (directory: string, pictures: UnlabelledPictures): Promise<void> =>
  writeFile(path.join(directory, picturesFile), `${JSON.stringify(pictures)}\n`);

/** The pictures of a run of this kind, and what the attack did to them; undefined for any other run. */
export async function readUnlabelled(
  directory: string,
): Promise<{ readonly pictures: UnlabelledPictures; readonly document: AttackDocument } | undefined> {
  const pictures = await readJson(path.join(directory, picturesFile));
  const document = await readJson(path.join(directory, "result.json"));
  if (!isRecord(pictures) || !Array.isArray(pictures["names"]) || !isRecord(document) || !Array.isArray(document["images"]))
    return undefined;
  return { pictures: pictures as unknown as UnlabelledPictures, document: document as unknown as AttackDocument }; // written above and by our engine
}
