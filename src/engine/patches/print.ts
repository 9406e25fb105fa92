import { BulwarkError } from "../../shared/errors.ts";
import type { ExportPatchResult } from "../../shared/patch.ts";
import { type Raster, resizeRaster } from "../io/decode.ts";
import { writePng } from "../io/png.ts";

export interface PrintOptions {
  readonly centimetres: number;
  readonly dpi: number;
  readonly upscaling: "nearest" | "smooth";
  readonly background: "transparent" | "white";
  readonly file: string;
}

const centimetresPerInch = 2.54;
const mostPixels = 20_000;

/**
 * Writes an RGBA picture as a PNG that says its resolution (pHYs), so that printed at 100 % its longer side is `centimetres` long.
 * @throws PARAMETER_INVALID for a size that is no picture
 */
export async function writePrint(raster: Raster, o: PrintOptions): Promise<ExportPatchResult> {
  const { centimetres, dpi, upscaling, file } = o;
  if (raster.height === 0 || raster.width === 0)
    throw new BulwarkError("PARAMETER_INVALID", "A patch of area 0 has nothing to print.", "Train one with a larger area.");
  const longer = Math.round((centimetres / centimetresPerInch) * dpi);
  if (!(longer >= 1 && longer <= mostPixels))
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `${centimetres} cm at ${dpi} dpi are ${longer} pixels; a print has 1 to ${mostPixels}.`,
      "Choose another size or resolution.",
    );
  const zoom = longer / Math.max(raster.height, raster.width);
  const [height, width] = [raster.height, raster.width].map((side) => Math.max(1, Math.round(side * zoom))) as [number, number];
  const enlarged = upscaling === "nearest" ? nearest(raster, height, width) : (await resizeRaster(raster, height, width)).data;
  if (o.background === "white") await writePng(file, onWhite(enlarged), height, width, 3, { dpi });
  else await writePng(file, enlarged, height, width, 4, { dpi });
  const length = (pixels: number): number => (pixels / dpi) * centimetresPerInch;
  return { file, pixels: [height, width], centimetres: [length(height), length(width)], dpi, upscaling };
}

/** Every pixel of the print takes the cell that its middle lies in. */
function nearest({ data, height, width }: Raster, rows: number, columns: number): Uint8Array {
  const bytes = new Uint8Array(rows * columns * 4);
  for (let y = 0; y < rows; y++) {
    const i = Math.floor(((y + 0.5) * height) / rows);
    for (let x = 0; x < columns; x++) {
      const from = 4 * (i * width + Math.floor(((x + 0.5) * width) / columns));
      bytes.set(data.subarray(from, from + 4), 4 * (y * columns + x));
    }
  }
  return bytes;
}

/** RGBA → RGB: nothing is left of the alpha channel, so that the print can be used as an image, too. */
function onWhite(rgba: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: (rgba.length / 4) * 3 }, (_, i) => {
    const pixel = 4 * Math.floor(i / 3);
    const alpha = (rgba[pixel + 3] as number) / 255;
    return Math.round(alpha * (rgba[pixel + (i % 3)] as number) + 255 * (1 - alpha));
  });
}
