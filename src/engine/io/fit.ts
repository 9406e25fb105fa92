import { BulwarkError } from "../../shared/errors.ts";
import type { FitRule } from "../../shared/fit.ts";
import { type Decoded, type Raster, resizeRaster } from "./decode.ts";

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
export async function fitTo(image: Decoded, [height, width]: readonly [number, number], fit: Fit, name: string): Promise<Decoded> {
  const from = `${image.height}×${image.width}`;
  if (image.height === height && image.width === width) return image;
  if (fit.rule === "none") {
    throw new BulwarkError(
      "IMAGE_SIZE",
      `${name} is ${from} (height×width) but the model expects ${height}×${width}.`,
      `Use an image of ${height}×${width}, or allow resizing ("resize": "cover") in the model's input contract or the data set.`,
    );
  }
  if (fit.rule === "crop")
    return { ...cutFromCentre(image, height, width, name), notes: [...image.notes, `centre ${height}×${width} cut out of ${from}`] };
  const share = fit.rule === "cover" ? (fit.crop ?? 1) : 1;
  const resized = await resizeRaster(image, Math.round(height / share), Math.round(width / share), fit.rule);
  const centre = cutFromCentre(resized, height, width, name);
  return { ...centre, notes: [...image.notes, `resized from ${from} to ${height}×${width}${manners[fit.rule]}`] };
}

function cutFromCentre<R extends Raster>(raster: R, height: number, width: number, name: string): R {
  if (raster.height === height && raster.width === width) return raster;
  if (raster.height < height || raster.width < width)
    throw new BulwarkError(
      "IMAGE_SIZE",
      `${name} is ${raster.height}×${raster.width} (height×width), too small to cut ${height}×${width} out of it.`,
      'Choose another fit, such as "cover", which enlarges it.',
    );
  const top = Math.floor((raster.height - height) / 2);
  const left = Math.floor((raster.width - width) / 2);
  const { channels } = raster;
  const data = new Uint8Array(height * width * channels);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * raster.width + left) * channels;
    data.set(raster.data.subarray(start, start + width * channels), row * width * channels);
  }
  return { ...raster, data, height, width };
}
