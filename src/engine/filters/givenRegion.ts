import { BulwarkError } from "../../shared/errors.ts";
import { readBytesSync } from "../io/files.ts";
import { plainPngPixels } from "../io/pngPixels.ts";
import type { Region } from "./morphology.ts";

/** A region as it is written: "top,left,height,width" in pixels. */
export const rectanglePattern = "^\\s*\\d+\\s*,\\s*\\d+\\s*,\\s*\\d+\\s*,\\s*\\d+\\s*$";
const isRectangle = (text: string): boolean => new RegExp(rectanglePattern).test(text);
const hint = "Write “top,left,height,width” in pixels, or the path of a black-and-white picture.";

/** Why a region that is written down cannot be one, whatever the image; null where it can. */
export function regionFault(text: string): { readonly message: string; readonly fix: string } | null {
  if (text === "") return { message: "This mode takes the region from the mask, but there is no mask.", fix: hint };
  if (!isRectangle(text)) return null;
  const [, , height, width] = text.split(",").map(Number);
  return height && width ? null : { message: `The mask ${text} is empty.`, fix: "Give it a height and a width of at least 1." };
}

/**
 * The region that `text` describes, a rectangle or a picture whose bright pixels are in it, in images of that size.
 * @throws PARAMETER_INVALID for one that is empty, larger than the image or of another size; IMAGE_INVALID, FILE_NOT_FOUND
 */
export function givenRegion(text: string, height: number, width: number): Region {
  const fault = regionFault(text);
  if (fault) throw new BulwarkError("PARAMETER_INVALID", fault.message, fault.fix);
  return isRectangle(text) ? rectangle(text, height, width) : picture(text, height, width);
}

function rectangle(text: string, height: number, width: number): Region {
  const [top = 0, left = 0, rows = 0, columns = 0] = text.split(",").map(Number);
  if (top + rows > height || left + columns > width)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `The mask ${text} reaches beyond the image of ${height}×${width}.`,
      `Keep top + height at most ${height} and left + width at most ${width}.`,
    );
  const pixels = new Uint8Array(height * width);
  for (let row = top; row < top + rows; row++) pixels.fill(1, row * width + left, row * width + left + columns);
  return { height, width, pixels };
}

function picture(file: string, height: number, width: number): Region {
  const raster = plainPngPixels(readBytesSync(file), Number.POSITIVE_INFINITY);
  if (!raster)
    throw new BulwarkError("IMAGE_INVALID", `The mask ${file} is no plain PNG.`, "Save it as a PNG of 8 bits a channel, not interlaced.");
  if (raster.height !== height || raster.width !== width)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `The mask ${file} is ${raster.height}×${raster.width} but the images are ${height}×${width}.`,
      "Make the mask as large as the images that the model sees.",
    );
  const { data, channels } = raster;
  const pixels = Uint8Array.from({ length: height * width }, (_, i) => {
    const [first, ...others] = data.subarray(channels * i, channels * (i + 1));
    const [colours, opacity] = channels === 4 ? [[first, ...others.slice(0, 2)], others[2]] : [[first, ...others], 255];
    return Number(Math.max(...(colours as number[])) > 127 && Number(opacity) > 127);
  });
  if (pixels.includes(1)) return { height, width, pixels };
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `The mask ${file} is empty: none of its pixels is bright.`,
    "Paint the region white on black.",
  );
}
