import type { Random } from "../random.ts";
import type { HostImage } from "./lab.ts";
import { quickshift } from "./quickshift.ts";
import { slic } from "./slic.ts";

export interface Segmentation {
  /** "auto" is SLIC for images of up to 64×64 pixels, of which quickshift's window covers too much, and quickshift for others. */
  readonly segmentation: "auto" | "quickshift" | "slic";
  /** About how many superpixels SLIC makes; "auto" is 50 for images of up to 64×64 pixels and 100 for others. */
  readonly segments: number | "auto";
}
const isSmall = ({ height, width }: HostImage): boolean => height * width <= 64 * 64;

/**
 * The superpixels of an image: of each pixel [H·W] one of 0 … S−1.
 * @param random breaks ties of quickshift; the same numbers give the same superpixels
 */
export function superpixelsOf(image: HostImage, { segmentation, segments }: Segmentation, random: Random): Int32Array {
  const isSlic = segmentation === "slic" || (segmentation === "auto" && isSmall(image));
  if (!isSlic) return quickshift(image, random);
  return slic(image, segments === "auto" ? (isSmall(image) ? 50 : 100) : segments);
}
