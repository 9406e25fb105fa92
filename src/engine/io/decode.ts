import sharp from "sharp";
import { BulwarkError } from "../../shared/errors.ts";
import { decodeBmp, isBmp } from "./bmp.ts";

/** The one importer of sharp. */

/** 8-bit pixels, rows from the top, channels interleaved. */
export interface Raster {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}
export interface Decoded extends Raster {
  readonly channels: 1 | 3;
  readonly notes: readonly string[];
}
export type ResizeRule = "cover" | "contain" | "fill";

const formats = ["png", "jpeg", "webp", "gif", "tiff", "heif"];

/**
 * Decodes one image, turned upright by its EXIF orientation. Embedded colour profiles are ignored, as the training pipelines of
 * nearly all networks do; CMYK is converted. `notes` lists what changed the pixels.
 * @throws IMAGE_INVALID for what is no image, for more than 8 bits a channel and for an alpha channel.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Decoded> {
  if (bytes.length === 0) throw new BulwarkError("IMAGE_INVALID", `${name} is empty.`, "Choose another image.");
  if (isBmp(bytes)) return withoutAlpha(decodeBmp(bytes, name), name, []);
  return orInvalid(name, () => decodeWithSharp(bytes, name));
}

/** What sharp throws comes of the file. @throws IMAGE_INVALID */
async function orInvalid<T>(name: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof BulwarkError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new BulwarkError(
      "IMAGE_INVALID",
      `${name} is damaged or is not an image.`,
      "Use a PNG, JPEG, WebP or BMP file that opens elsewhere.",
      {
        cause: error,
        detail,
      },
    );
  }
}

/** The same for pictures that may be transparent: always four channels, the last one opacity; grey ones are repeated. @throws IMAGE_INVALID */
export async function decodeTransparent(bytes: Uint8Array, name: string): Promise<Raster> {
  const isTransparent =
    !isBmp(bytes) &&
    (
      await sharp(bytes)
        .metadata()
        .catch(() => null)
    )?.hasAlpha === true;
  if (isTransparent) {
    const { data, info } = await orInvalid(name, () =>
      sharp(bytes, { failOn: "error", ignoreIcc: true }).autoOrient().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true }),
    );
    if (info.channels === 4) return { data, height: info.height, width: info.width, channels: 4 };
  }
  const { data, height, width, channels } = await decodeImage(bytes, name);
  const rgba = new Uint8Array(height * width * 4).fill(255);
  for (let i = 0; i < height * width; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = data[channels === 1 ? i : 3 * i + c] as number;
  return { data: rgba, height, width, channels: 4 };
}

async function decodeWithSharp(bytes: Uint8Array, name: string): Promise<Decoded> {
  const facts = await sharp(bytes, { failOn: "error" }).metadata();
  if (!formats.includes(facts.format))
    throw new BulwarkError("IMAGE_INVALID", `${name} is ${facts.format}, not an image of pixels.`, "Export it as PNG.");
  if (facts.depth !== "uchar") {
    throw new BulwarkError(
      "IMAGE_INVALID",
      `${name} has ${bitsOf(facts.depth)} a channel; only 8-bit images can be judged.`,
      "Convert it to 8 bits a channel first.",
    );
  }
  const notes: string[] = [];
  if ((facts.pages ?? 1) > 1) notes.push("only the first frame is used");
  if ((facts.orientation ?? 1) > 1) notes.push("turned upright by its EXIF orientation");
  const cmyk = facts.space === "cmyk";
  if (cmyk) notes.push("converted from CMYK");
  let image = sharp(bytes, { failOn: "error", ignoreIcc: !cmyk }).autoOrient();
  if (cmyk) image = image.toColourspace("srgb");
  else if (facts.space === "b-w") image = image.toColourspace("b-w"); // sharp makes three channels of gray ones otherwise
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return withoutAlpha({ data, height: info.height, width: info.width, channels: info.channels }, name, notes);
}

const bitsOf = (depth: string | undefined): string =>
  ({
    ushort: "16 bits",
    short: "16 bits",
    uint: "32 bits",
    int: "32 bits",
    float: "floating-point values",
    double: "floating-point values",
  })[depth ?? ""] ?? "more than 8 bits";

/** Pixels with an alpha channel have no one colour that a classifier could be shown; which background to lay under is the user's to say. */
function withoutAlpha(raster: Raster, name: string, notes: string[]): Decoded {
  const { data, height, width, channels } = raster;
  if (channels === 1 || channels === 3) return { data, height, width, channels, notes };
  throw new BulwarkError(
    "IMAGE_INVALID",
    `${name} has ${channels} channels${channels === 2 || channels === 4 ? ", one of them alpha" : ""}.`,
    "Save it as grayscale or RGB, without transparency.",
  );
}

/** Lanczos-3. `cover` crops around the centre, `contain` adds black borders, `fill` distorts. */
export async function resizeRaster<R extends Raster>(raster: R, height: number, width: number, rule: ResizeRule): Promise<R> {
  const { data, channels } = raster;
  const input = { raw: { width: raster.width, height: raster.height, channels: channels as 1 | 3 | 4 } };
  const pipeline = sharp(data, input).resize({ width, height, fit: rule, position: "centre", background: { r: 0, g: 0, b: 0 } });
  const grayscale = channels === 1 ? pipeline.toColourspace("b-w") : pipeline;
  const { data: resized, info } = await grayscale.raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`resize made ${info.channels} channels of ${channels}`);
  return { ...raster, data: resized, height, width };
}

/** The file of a PNG of 8-bit pixels; `dpi` is written into its pHYs chunk, so that it prints at a size. */
export async function encodePng(
  bytes: Uint8Array,
  height: number,
  width: number,
  channels: 1 | 3 | 4,
  options: { readonly dpi?: number } = {},
): Promise<Uint8Array> {
  const pipeline = sharp(bytes, { raw: { width, height, channels } });
  const png = (channels === 1 ? pipeline.toColourspace("b-w") : pipeline).png({ compressionLevel: 6 });
  return await (options.dpi === undefined ? png : png.withMetadata({ density: options.dpi })).toBuffer();
}
