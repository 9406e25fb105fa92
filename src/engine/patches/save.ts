import path from "node:path";
import type { PatchDocument } from "../../shared/patch.ts";
import { sha256, writeAtomic } from "../io/files.ts";
import { writePng } from "../io/png.ts";
import { toBytes } from "../pixels.ts";
import { coverageOf, type ImageShape, type Patch } from "./patch.ts";

/** RGBA bytes of a patch, one pixel a cell; grey ones are repeated. */
export function rgbaOf(patch: Patch): Uint8Array {
  const { height, width, channels } = patch;
  const colours = toBytes(patch.pixels);
  const alpha = toBytes(patch.mask);
  const bytes = new Uint8Array(height * width * 4);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = colours[channels === 1 ? i : i * channels + c] as number;
    bytes[4 * i + 3] = alpha[i] as number;
  }
  return bytes;
}

export const writePatchPicture = (file: string, patch: Patch): Promise<void> => writePng(file, rgbaOf(patch), patch.height, patch.width, 4);

/** What a document says beside what follows from the patch itself. */
export type PatchFacts = Pick<PatchDocument, "area" | "transforms" | "training"> & { readonly classNames: readonly string[] };

/** Writes `<stem>.png` and, last, `<stem>.json`: where that is there, the patch is whole. */
export async function savePatch(
  directory: string,
  stem: string,
  patch: Patch,
  image: ImageShape,
  facts: PatchFacts,
): Promise<PatchDocument> {
  const { classNames, ...said } = facts;
  const file = `${stem}.png`;
  await writePatchPicture(path.join(directory, file), patch);
  const { target } = patch;
  const document: PatchDocument = {
    version: 1,
    file,
    sha256: await sha256(path.join(directory, file)),
    shape: patch.shape,
    size: [patch.height, patch.width],
    imageSize: image,
    coverage: coverageOf(patch, image),
    target: target === null ? null : { index: target, name: classNames[target] ?? String(target) },
    ...said,
  };
  await writeAtomic(path.join(directory, `${stem}.json`), `${JSON.stringify(document, null, 1)}\n`);
  return document;
}
