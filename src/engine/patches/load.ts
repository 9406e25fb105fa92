import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { percent } from "../../shared/format.ts";
import type { PatchDocument } from "../../shared/patch.ts";
import { patchDocument } from "../../shared/pictureShapes.ts";
import { runFiles } from "../../shared/runs.ts";
import { readAs } from "../../shared/shapes.ts";
import { decodeTransparent, type Raster, resizeRaster } from "../io/decode.ts";
import { exists, isDirectory, readBytes, readText, sha256 } from "../io/files.ts";
import { greyPatch, type ImageShape, type Patch, refuseTooLarge } from "./patch.ts";

export interface StickerOptions {
  /** Share of the image that a picture covers, its transparent parts not counted. */
  readonly area: number;
  /** Class it is meant to show; that of the patch's own document when null. */
  readonly target: number | null;
}

export interface LoadedPatch {
  readonly patch: Patch;
  readonly picture: string;
  /** Null for a sticker. */
  readonly document: PatchDocument | null;
}

/**
 * A patch that was trained before (its PNG, its JSON, or the run folder), or any picture as a sticker. A trained patch comes back exactly
 * for images of the size that it was trained for, and is resized to the same share of others; a sticker is resized to cover `area`.
 * @throws FILE_NOT_FOUND, IMAGE_INVALID, PARAMETER_INVALID when it is larger than the image
 */
export async function loadPatch(file: string, image: ImageShape, o: StickerOptions): Promise<LoadedPatch> {
  const { picture, document } = await findPatch(file);
  const raster = await readPatchPicture(picture);
  return { picture, document, patch: await patchOf(raster, document, image, o, path.basename(picture)) };
}

/** RGBA pixels of a patch or sticker as they are in its file. */
export const readPatchPicture = async (picture: string): Promise<Raster> =>
  decodeTransparent(await readBytes(picture), path.basename(picture));

async function patchOf(raster: Raster, document: PatchDocument | null, image: ImageShape, o: StickerOptions, name: string): Promise<Patch> {
  if (!document) return sticker(raster, image, o, name);
  const target = o.target ?? document.target?.index ?? null;
  const [height, width] = document.imageSize;
  if (height === image[0] && width === image[1]) return fromRaster(raster, image[2], { shape: document.shape, target });
  const blank = greyPatch(document.shape, document.area, image, target);
  if (blank.pixels.length === 0) return blank;
  const resized = await resizeRaster(raster, blank.height, blank.width);
  return { ...fromRaster(resized, image[2], { shape: document.shape, target }), mask: blank.mask };
}

/** The picture that `file` means, and the document beside it; null for a picture that is no patch of ours. */
export async function findPatch(file: string): Promise<{ readonly picture: string; readonly document: PatchDocument | null }> {
  const named = path.resolve(file);
  const absolute = (await isDirectory(named)) ? path.join(named, runFiles.patch) : named;
  const isDocument = absolute.endsWith(".json");
  const beside = isDocument ? absolute : absolute.replace(/\.[^./\\]+$/, ".json");
  const document = isDocument || (beside !== absolute && (await exists(beside))) ? await readDocument(beside) : null;
  if (isDocument && !document)
    throw new BulwarkError("IMAGE_INVALID", `${file} does not describe a patch.`, "Name the patch.json of a run, or a picture.");
  const picture = isDocument && document ? path.join(path.dirname(absolute), document.file) : absolute;
  if (document === null || document.file !== path.basename(picture)) return { picture, document: null };
  if (document.sha256 !== (await sha256(picture)))
    throw new BulwarkError(
      "IMAGE_INVALID",
      `${picture} is not the patch that ${path.basename(beside)} describes: it was changed.`,
      "Restore it, or copy it elsewhere to use it as a sticker.",
    );
  return { picture, document };
}

/** The description of a patch; null for any other JSON. @throws FILE_NOT_FOUND */
export async function readDocument(file: string): Promise<PatchDocument | null> {
  const read = readAs(patchDocument, await readText(file));
  return "value" in read ? read.value : null;
}

async function sticker(raster: Raster, image: ImageShape, { area, target }: StickerOptions, name: string): Promise<Patch> {
  if (area === 0) return greyPatch("square", 0, image, target);
  const opaque = alphaOf(raster).reduce((sum, alpha) => sum + alpha, 0);
  if (opaque === 0) throw new BulwarkError("IMAGE_INVALID", `${name} is transparent everywhere.`, "Choose another picture.");
  const zoom = Math.sqrt((area * image[0] * image[1]) / opaque);
  const [height, width] = [raster.height, raster.width].map((side) => Math.max(1, Math.round(side * zoom))) as [number, number];
  refuseTooLarge(height, width, 1, image, `${name} at ${percent(area)} of the image`);
  return fromRaster(await resizeRaster(raster, height, width), image[2], { shape: "square", target });
}

const alphaOf = ({ data, height, width }: Raster): Float32Array =>
  Float32Array.from({ length: height * width }, (_, i) => (data[4 * i + 3] as number) / 255);

function fromRaster(raster: Raster, channels: number, o: Pick<Patch, "shape" | "target">): Patch {
  const { data, height, width } = raster;
  const pixels = new Float32Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    const [r, g, b] = [data[4 * i] as number, data[4 * i + 1] as number, data[4 * i + 2] as number];
    if (channels === 1) pixels[i] = luma(r, g, b) / 255;
    else pixels.set([r / 255, g / 255, b / 255], 3 * i);
  }
  return { height, width, channels, pixels, mask: alphaOf(raster), ...o };
}

/** ITU-R BT.601, as pictures are made grey elsewhere: a grey colour keeps its value. */
const luma = (r: number, g: number, b: number): number => (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
