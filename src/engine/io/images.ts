import path from "node:path";
import type { FitRule } from "../../shared/fit.ts";
import { fromBytes } from "../pixels.ts";
import { type Decoded, decodeImage, type Raster } from "./decode.ts";
import { readBytes } from "./files.ts";
import { fitTo } from "./fit.ts";

export interface ReadOptions {
  /** Height and width wanted; the image's own when left out. */
  readonly size?: readonly [height: number, width: number];
  readonly channels: 1 | 3;
  readonly resize: FitRule;
  /** With "cover": the share of the resized image's sides that the centre crop keeps; 1 by default. */
  readonly crop?: number | undefined;
}
/** One image, [height, width, channels] float32 in [0,1], every value a whole number of 255ths. */
export interface PixelImage {
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Upright size of the file's image, before it was fitted. */
  readonly original: readonly [height: number, width: number];
  /** What was done to the file's pixels to get here, for the user to see. */
  readonly notes: string[];
}

/** @throws FILE_NOT_FOUND, FILE_UNREADABLE, IMAGE_INVALID, and IMAGE_SIZE when the size is another and `resize` forbids or cannot mend it. */
export async function readImage(file: string, options: ReadOptions): Promise<PixelImage> {
  return imageFromBytes(await readBytes(file), path.basename(file), options);
}

/** The same from the bytes of an image file; `name` is for messages. */
export async function imageFromBytes(bytes: Uint8Array, name: string, options: ReadOptions): Promise<PixelImage> {
  const decoded = toChannels(await decodeImage(bytes, name), options.channels);
  const raster = fitted(decoded, name, options);
  return {
    original: [decoded.height, decoded.width],
    pixels: fromBytes(raster.data),
    height: raster.height,
    width: raster.width,
    channels: raster.channels,
    notes: [...raster.notes],
  };
}

/** Decoded, brought to the channels and the size that are wanted, still bytes. */
export async function rasterFromBytes(bytes: Uint8Array, name: string, options: ReadOptions): Promise<Decoded> {
  return fitted(toChannels(await decodeImage(bytes, name), options.channels), name, options);
}

const fitted = (image: Decoded, name: string, { size, resize, crop = 1 }: ReadOptions): Decoded =>
  size ? fitTo(image, size, { rule: resize, crop }, name) : image;

function toChannels(image: Decoded, channels: 1 | 3): Decoded {
  if (image.channels === channels) return image;
  if (channels === 3)
    return { ...image, data: repeated(image.data), channels, notes: [...image.notes, "grayscale, repeated in three channels"] };
  const { data, coloured } = luma(image);
  return { ...image, data, channels, notes: coloured ? [...image.notes, "colour converted to grayscale"] : image.notes };
}

function repeated(gray: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(gray.length * 3);
  for (let i = 0; i < gray.length; i++) rgb.fill(gray[i] as number, 3 * i, 3 * i + 3);
  return rgb;
}

/** ITU-R BT.601 luma, 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point: a gray pixel keeps its value. */
function luma(image: Raster): { data: Uint8Array; coloured: boolean } {
  const rgb = image.data;
  const data = new Uint8Array(image.height * image.width);
  let coloured = false;
  for (let i = 0; i < data.length; i++) {
    const r = rgb[3 * i] as number;
    const g = rgb[3 * i + 1] as number;
    const b = rgb[3 * i + 2] as number;
    if (r !== g || g !== b) coloured = true;
    data[i] = (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
  }
  return { data, coloured };
}
