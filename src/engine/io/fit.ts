import { BulwarkError } from "../../shared/errors.ts";
import type { FitRule } from "../../shared/fit.ts";
import type { Decoded, Raster } from "./decode.ts";
import { resizeBilinear } from "./resample.ts";

export interface Fit {
  readonly rule: FitRule;
  /** With "cover": the share of the resized image's sides that the centre crop keeps, such as 0.875 for 256 → 224; 1 by default. */
  readonly crop?: number;
}

/** How an image came to its size, in the words of a note. */
const manners: Readonly<Record<FitRule, string>> = {
  cover: ", centre crop",
  contain: ", black borders",
  fill: ", stretched",
  crop: "",
  none: "",
};

/** An image brought to `height`×`width`; what was done is noted. @throws IMAGE_SIZE where the rule forbids it or the image is too small for it */
export function fitTo(image: Decoded, [height, width]: readonly [number, number], fit: Fit, name: string): Decoded {
  const from = `${image.height}×${image.width}`;
  if (image.height === height && image.width === width) return image;
  if (fit.rule === "none") {
    throw new BulwarkError(
      "IMAGE_SIZE",
      `${name} is ${from} (height×width) but the model expects ${height}×${width}.`,
      `Use an image of ${height}×${width}, or set "resize" to "cover" in the model's input contract or the data set.`,
    );
  }
  const done = resampled(image, height, width, fit, name);
  const said =
    fit.rule === "crop" ? `centre ${height}×${width} cut out of ${from}` : `resized from ${from} to ${height}×${width}${manners[fit.rule]}`;
  return { ...done, notes: [...image.notes, said] };
}

/** Sizes and places of crops are those of torchvision's `Resize` and `CenterCrop`, those of borders of Pillow's `ImageOps.pad`. */
function resampled(image: Decoded, height: number, width: number, { rule, crop = 1 }: Fit, name: string): Decoded {
  switch (rule) {
    case "cover": {
      const [tall, wide] = [Math.round(height / crop), Math.round(width / crop)];
      const isTall = tall * image.width >= wide * image.height; // the height decides
      const newHeight = isTall ? tall : Math.max(tall, Math.trunc((wide * image.height) / image.width));
      const newWidth = isTall ? Math.max(wide, Math.trunc((tall * image.width) / image.height)) : wide;
      return cutFromCentre(resizeBilinear(image, newHeight, newWidth), height, width, name);
    }
    case "contain": {
      const isTall = height * image.width <= width * image.height;
      const newHeight = isTall ? height : Math.max(1, Math.round((width * image.height) / image.width));
      const newWidth = isTall ? Math.max(1, Math.round((height * image.width) / image.height)) : width;
      return onBlack(resizeBilinear(image, newHeight, newWidth), height, width);
    }
    case "fill":
      return resizeBilinear(image, height, width);
    case "crop":
    case "none":
      return cutFromCentre(image, height, width, name);
  }
}

/** Half of what is over; of two middles the even one. */
function middle(over: number): number {
  const floor = Math.floor(over / 2);
  return over % 2 === 1 && floor % 2 === 1 ? floor + 1 : floor;
}

function cutFromCentre<R extends Raster>(raster: R, height: number, width: number, name: string): R {
  if (raster.height === height && raster.width === width) return raster;
  if (raster.height < height || raster.width < width)
    throw new BulwarkError(
      "IMAGE_SIZE",
      `${name} is ${raster.height}×${raster.width} (height×width), too small to cut ${height}×${width} out of it.`,
      'Choose another fit, such as "cover", which enlarges it.',
    );
  const top = middle(raster.height - height);
  const left = middle(raster.width - width);
  const data = new Uint8Array(height * width * raster.channels);
  const from = { start: (top * raster.width + left) * raster.channels, row: raster.width * raster.channels };
  copyRows(raster.data, from, data, { start: 0, row: width * raster.channels }, height, width * raster.channels);
  return { ...raster, data, height, width };
}

function onBlack<R extends Raster>(raster: R, height: number, width: number): R {
  const data = new Uint8Array(height * width * raster.channels);
  const start = (middle(height - raster.height) * width + middle(width - raster.width)) * raster.channels;
  const row = raster.width * raster.channels;
  copyRows(raster.data, { start: 0, row }, data, { start, row: width * raster.channels }, raster.height, row);
  return { ...raster, data, height, width };
}

/** Where the first value of a window lies, and the values of a row of the whole. */
interface Window {
  readonly start: number;
  readonly row: number;
}
function copyRows(from: Uint8Array, source: Window, to: Uint8Array, target: Window, rows: number, values: number): void {
  for (let y = 0; y < rows; y++) {
    const start = source.start + y * source.row;
    to.set(from.subarray(start, start + values), target.start + y * target.row);
  }
}
