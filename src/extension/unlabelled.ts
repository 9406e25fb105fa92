import path from "node:path";
import { Type } from "@sinclair/typebox";
import { count, plural } from "../shared/format.ts";
import { attackDocument } from "../shared/reportShape.ts";
import type { AttackDocument } from "../shared/results.ts";
import { runFiles } from "../shared/runs.ts";
import { list, natural, orNull, type Shape, text } from "../shared/shapes.ts";
import { readWhole, writeWhole } from "./files.ts";

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
const unlabelled: Shape<UnlabelledPictures> = Type.Object({
  model: text,
  folder: text,
  names: list(text),
  of: natural,
  classNames: orNull(list(text)),
});

export const writeUnlabelled = (directory: string, pictures: UnlabelledPictures): Promise<void> =>
  writeWhole(path.join(directory, picturesFile), `${JSON.stringify(pictures)}\n`);

/** The pictures of a run of this kind, and what the attack did to them; undefined for any other run. */
export async function readUnlabelled(
  directory: string,
): Promise<{ readonly pictures: UnlabelledPictures; readonly document: AttackDocument } | undefined> {
  const pictures = await readWhole(path.join(directory, picturesFile), unlabelled);
  const document = pictures && (await readWhole(path.join(directory, runFiles.result), attackDocument));
  return pictures && document ? { pictures, document } : undefined;
}
