import type { Sharp, SharpInput, SharpOptions } from "sharp";
import { BulwarkError } from "../../shared/errors.ts";
import { decodeBmp, isBmp } from "./bmp.ts";
import { cmykToRgb } from "./cmyk.ts";
import { headBytes, imageFormat, isTarga } from "./format.ts";
import { isLfsPointer, lfsFix } from "./lfs.ts";
import { plainPngPixels } from "./pngPixels.ts";
import { withText } from "./pngText.ts";

/** The one importer of sharp, which is loaded when it is first wanted: that takes a tenth of a second, and small PNGs do without. */
const sharp = async (input: SharpInput, options?: SharpOptions): Promise<Sharp> => (await loadSharp()).default(input, options);

/** @throws PART_MISSING */
async function loadSharp(): Promise<typeof import("sharp")> {
  try {
    return await import("sharp");
  } catch (cause) {
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new BulwarkError(
      "PART_MISSING",
      `The part that decodes JPEG, WebP and most other pictures (sharp) cannot be loaded: ${reason.replace(/\.$/, "")}.`,
      "Install Bulwark again for this system; pictures as PNG of 8 bits or BMP are read without it.",
      { cause },
    );
  }
}

/** Why most formats cannot be read; null where they can. */
export const whyNoDecoder = (): Promise<string | null> =>
  loadSharp().then(
    () => null,
    (thrown: BulwarkError) => thrown.message,
  );

/** Of a picture that is read: 8192×8192. As floats in three channels, twice as many would take 2 GB. */
export const mostPixels = 1 << 26;
/** Whatever a file says of its size, no more is decoded. */
const reading = { failOn: "error", limitInputPixels: mostPixels } as const;

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

/**
 * Decodes one image, turned upright by its EXIF orientation. Its content decides the format, not its name. Embedded colour profiles are
 * ignored and CMYK is converted by Pillow's formula, as the training pipelines of nearly all networks do; an alpha channel that is
 * opaque everywhere is left out. `notes` lists what changed the pixels.
 * @throws IMAGE_INVALID for what is no image, for formats that cannot be read, more than 8 bits a channel and transparency.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Decoded> {
  if (bytes.length === 0) throw new BulwarkError("IMAGE_INVALID", `${name} is empty.`, "Choose another image.");
  refuseUnreadable(bytes, name);
  const plain = isBmp(bytes) ? decodeBmp(bytes, name) : plainPngPixels(bytes);
  if (plain) return withoutAlpha(plain, name, []);
  return orInvalid(name, () => decodeWithSharp(bytes, name));
}

/** What a server sends in place of a picture that it does not have. */
const webPage = /^(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)\b/i;

function refuseUnreadable(bytes: Uint8Array, name: string): void {
  if (isLfsPointer(bytes)) throw new BulwarkError("IMAGE_INVALID", `${name} is a Git LFS pointer and not the picture itself.`, lfsFix);
  if (webPage.test(Buffer.from(bytes.subarray(0, 256)).toString("latin1")))
    throw new BulwarkError("IMAGE_INVALID", `${name} is a web page and not a picture.`, "Download the picture itself.");
  const format = imageFormat(bytes.subarray(0, headBytes));
  const unsupported = format ? (format.readable ? null : format.name) : isTarga(bytes) ? "TGA" : null;
  if (unsupported)
    throw new BulwarkError(
      "IMAGE_INVALID",
      `${name} is ${/^[AEIO]|^S[GV]/.test(unsupported) ? "an" : "a"} ${unsupported} file, which is not supported.`,
      "Convert it to PNG or JPEG.",
    );
}

/** What sharp throws comes of the file. @throws IMAGE_INVALID */
async function orInvalid<T>(name: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof BulwarkError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    if (/pixel limit/i.test(detail))
      throw new BulwarkError(
        "IMAGE_INVALID",
        `${name} has more than ${Math.floor(mostPixels / 1e6)} million pixels.`,
        "Use a smaller version of it.",
        {
          cause: error,
        },
      );
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
      await sharp(bytes, reading)
        .then((image) => image.metadata())
        .catch(() => null)
    )?.hasAlpha === true;
  if (isTransparent) {
    const { data, info } = await orInvalid(name, async () =>
      (await sharp(bytes, { ...reading, ignoreIcc: true })).autoOrient().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true }),
    );
    if (info.channels === 4) return { data, height: info.height, width: info.width, channels: 4 };
  }
  const { data, height, width, channels } = await decodeImage(bytes, name);
  const rgba = new Uint8Array(height * width * 4).fill(255);
  for (let i = 0; i < height * width; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = data[channels === 1 ? i : 3 * i + c] as number;
  return { data: rgba, height, width, channels: 4 };
}

async function decodeWithSharp(bytes: Uint8Array, name: string): Promise<Decoded> {
  const facts = await (await sharp(bytes, reading)).metadata();
  if (facts.depth !== "uchar") {
    throw new BulwarkError(
      "IMAGE_INVALID",
      `${name} has ${bitsOf(facts.depth)} a channel; only 8-bit images are supported.`,
      "Convert it to 8 bits a channel first.",
    );
  }
  const notes: string[] = [];
  if ((facts.pages ?? 1) > 1) notes.push("only the first frame is used");
  if ((facts.orientation ?? 1) > 1) notes.push("turned upright by its EXIF orientation");
  const image = (await sharp(bytes, { ...reading, ignoreIcc: true })).autoOrient();
  if (facts.space === "cmyk") {
    const { data, info } = await image.pipelineColourspace("cmyk").toColourspace("cmyk").raw().toBuffer({ resolveWithObject: true });
    const rgb = cmykToRgb({ data, height: info.height, width: info.width, channels: info.channels });
    return withoutAlpha(rgb, name, [...notes, "converted from CMYK"]);
  }
  // sharp makes three channels of grey images otherwise; asked not to, it would leave out their transparency
  const grey = facts.space === "b-w" && !facts.hasAlpha;
  const { data, info } = await (grey ? image.toColourspace("b-w") : image).raw().toBuffer({ resolveWithObject: true });
  const decoded = withoutAlpha({ data, height: info.height, width: info.width, channels: info.channels }, name, notes);
  return facts.space === "b-w" && decoded.channels === 3 ? { ...decoded, data: firstChannel(decoded.data), channels: 1 } : decoded;
}

const firstChannel = (rgb: Uint8Array): Uint8Array => Uint8Array.from({ length: rgb.length / 3 }, (_, i) => rgb[3 * i] as number);

const bitsOf = (depth: string | undefined): string =>
  ({
    ushort: "16 bits",
    short: "16 bits",
    uint: "32 bits",
    int: "32 bits",
    float: "floating-point values",
    double: "floating-point values",
  })[depth ?? ""] ?? "more than 8 bits";

/** Transparent pixels have no one colour that a classifier could be shown; which background to lay under is the user's to say. */
function withoutAlpha(raster: Raster, name: string, notes: string[]): Decoded {
  const { data, height, width, channels } = raster;
  if (channels === 1 || channels === 3) return { data, height, width, channels, notes };
  if (channels !== 4) throw new BulwarkError("IMAGE_INVALID", `${name} has ${channels} channels.`, "Save it as grayscale or RGB.");
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    if (data[4 * i + 3] !== 255)
      throw new BulwarkError(
        "IMAGE_INVALID",
        `${name} is transparent in places (row ${Math.floor(i / width)}, column ${i % width}).`,
        "Save it without transparency, on the background that the model should see.",
      );
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = data[4 * i + c] as number;
  }
  return { data: rgb, height, width, channels: 3, notes };
}

/** Lanczos-3, both sides stretched to fit: for printing and for patches, not for what a network is evaluated on (`resample.ts`). */
export async function resizeRaster<R extends Raster>(raster: R, height: number, width: number): Promise<R> {
  const { data, channels } = raster;
  const input = { raw: { width: raster.width, height: raster.height, channels: channels as 1 | 3 | 4 } };
  const pipeline = (await sharp(data, input)).resize({ width, height, fit: "fill" });
  const grayscale = channels === 1 ? pipeline.toColourspace("b-w") : pipeline;
  const { data: resized, info } = await grayscale.raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`resize made ${info.channels} channels of ${channels}`);
  return { ...raster, data: resized, height, width };
}

export interface PngOptions {
  /** Written into the pHYs chunk, so that it prints at a size. */
  readonly dpi?: number;
  /** Where the picture comes from: keyword → text. */
  readonly text?: Readonly<Record<string, string>>;
  /** Encodes in half the time into a slightly larger file: for pictures that a user waits for. */
  readonly fast?: boolean;
}

/** The file of a PNG of 8-bit pixels. */
export async function encodePng(
  bytes: Uint8Array,
  height: number,
  width: number,
  channels: 1 | 3 | 4,
  options: PngOptions = {},
): Promise<Uint8Array> {
  const pipeline = await sharp(bytes, { raw: { width, height, channels } });
  const png = (channels === 1 ? pipeline.toColourspace("b-w") : pipeline).png({ compressionLevel: options.fast ? 1 : 6 });
  const file = await (options.dpi === undefined ? png : png.withMetadata({ density: options.dpi })).toBuffer();
  return options.text ? withText(file, options.text) : file;
}
