import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define/index.ts";
import { meanSquaredError } from "./squaredError.ts";

/** Peak signal-to-noise ratio with peak 255, in decibels; +∞ for identical slices. */
export const psnr = defineMeasure({
  id: "psnr",
  title: "Peak signal-to-noise ratio",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "similarity",
  params: Type.Object({}),
  measure: (a, b) => 20 * Math.log10(255 / Math.sqrt(meanSquaredError("psnr", a, b))),
});
