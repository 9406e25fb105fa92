import { BulwarkError } from "../../shared/errors.ts";
import { number, percent } from "../../shared/format.ts";

export type PatchShape = "disc" | "square";
/** Height, width, channels of the images that a patch is pasted on. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** A picture that is pasted over a part of an image; at scale 1 one of its cells covers one pixel. */
export interface Patch {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [h,w,C] in [0,1]. */
  readonly pixels: Float32Array;
  /** [h,w] in [0,1]: how opaque it is. */
  readonly mask: Float32Array;
  readonly shape: PatchShape;
  /** Class that it is to make the model see; null for any but the true one. */
  readonly target: number | null;
}

/** Side of a square that covers the share `area` of an image: round(√(f·H·W)). */
export const sideOf = (area: number, [height, width]: ImageShape): number => Math.round(Math.sqrt(area * height * width));

/** Radius of such a disc: √(f·H·W/π). */
export const radiusOf = (area: number, [height, width]: ImageShape): number => Math.sqrt((area * height * width) / Math.PI);

/** A cell belongs to a disc where its middle lies within the radius. */
function discMask(side: number, radius: number): Float32Array {
  const mask = new Float32Array(side * side);
  const middle = (side - 1) / 2;
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++) mask[i * side + j] = Math.hypot(i - middle, j - middle) <= radius + 1e-9 ? 1 : 0;
  return mask;
}

const opaque = (mask: Float32Array): number => mask.reduce((sum, alpha) => sum + alpha, 0);

/** The mask of a disc in the grid of odd or even side, whichever covers the share asked for more nearly. */
function discOf(area: number, shape: ImageShape): { side: number; mask: Float32Array } {
  const radius = radiusOf(area, shape);
  const wanted = area * shape[0] * shape[1];
  const discs = [2 * Math.floor(radius) + 1, 2 * Math.floor(radius + 0.5)].map((side) => ({ side, mask: discMask(side, radius) }));
  const miss = ({ mask }: { mask: Float32Array }): number => Math.abs(opaque(mask) - wanted);
  return discs.reduce((best, disc) => (miss(disc) < miss(best) ? disc : best));
}

/** A grey patch that covers the share `area` of the image; area 0 gives one without cells. @throws PARAMETER_INVALID when it is larger than the image, or less than a pixel. */
export function greyPatch(shape: PatchShape, area: number, image: ImageShape, target: number | null): Patch {
  const channels = image[2];
  const square = (side: number) => ({ side, mask: new Float32Array(side * side).fill(1) });
  const { side, mask } = area === 0 ? square(0) : shape === "disc" ? discOf(area, image) : square(sideOf(area, image));
  if (area > 0 && opaque(mask) === 0) throw tooSmall(shape, area, image);
  refuseTooLarge(side, side, 1, image, `A ${shape} of ${percent(area)} of the image`);
  return { height: side, width: side, channels, pixels: new Float32Array(side * side * channels).fill(0.5), mask, shape, target };
}

const tooSmall = (shape: PatchShape, area: number, [height, width]: ImageShape): BulwarkError =>
  new BulwarkError(
    "PARAMETER_INVALID",
    `A ${shape} of area ${number(area)} of an image of ${height}×${width} has no pixel.`,
    `Choose an area of at least ${number(1 / (height * width))}, which is one pixel, or 0 for no patch.`,
  );

/** @throws PARAMETER_INVALID when the patch at that scale, not turned, is larger than the image. */
export function refuseTooLarge(height: number, width: number, scale: number, image: ImageShape, what: string): void {
  if (height * scale <= image[0] && width * scale <= image[1]) return;
  const size = [height * scale, width * scale].map((side) => number(side)).join("×");
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `${what} is ${size} pixels, larger than the image of ${image[0]}×${image[1]}.`,
    "Choose a smaller area or scale.",
  );
}

/** Share of the image that the patch covers at scale 1. */
export const coverageOf = (patch: Patch, [height, width]: ImageShape): number => opaque(patch.mask) / (height * width);

/** Its colours rounded to the 256 levels of a PNG, halves upwards. */
export const rounded = (patch: Patch): Patch => ({ ...patch, pixels: patch.pixels.map((v) => Math.floor(255 * v + 0.5) / 255) });
