import type { PatchPlacement, PatchTransforms } from "../../shared/patch.ts";
import type { Random } from "../random.ts";
import { type ImageShape, type Patch, refuseTooLarge } from "./patch.ts";

/** Cosine and sine of an angle in degrees, exact for quarter turns. */
export function turn(degrees: number): readonly [cos: number, sin: number] {
  const quarter = degrees / 90;
  if (Number.isInteger(quarter)) {
    const turns = [1, 0, -1, 0];
    const at = ((quarter % 4) + 4) % 4;
    return [turns[at] ?? 1, turns[(at + 3) % 4] ?? 0];
  }
  const angle = (degrees * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

/** Half the height and width of the patch where it lies, in pixels: a disc does not grow by being turned. */
export function halfExtent(patch: Patch, { rotation, scale }: Pick<PatchPlacement, "rotation" | "scale">): readonly [number, number] {
  const [height, width] = [(patch.height * scale) / 2, (patch.width * scale) / 2];
  if (patch.shape === "disc") return [height, width];
  const [cos, sin] = turn(rotation).map(Math.abs) as [number, number];
  return [height * cos + width * sin, height * sin + width * cos];
}

/** The whole patch lies inside the image. */
export function fitsInside(patch: Patch, placement: PatchPlacement, [height, width]: ImageShape): boolean {
  const [rows, columns] = halfExtent(patch, placement);
  const inside = (middle: number, half: number, size: number): boolean => middle - half >= -1e-6 && middle + half <= size + 1e-6;
  return inside(placement.row, rows, height) && inside(placement.column, columns, width);
}

/**
 * A place drawn at random: rotation, scale and position uniform, the whole patch inside the image (one that is too large when turned
 * lies in the middle, its corners cut off). A patch that is neither turned nor scaled lies on whole pixels, so that it is copied exactly.
 */
export function randomPlacement(patch: Patch, image: ImageShape, transforms: PatchTransforms, rng: Random): PatchPlacement {
  const rotation = rng.uniform(-transforms.rotation, transforms.rotation);
  const scale = rng.uniform(transforms.scaleMin, transforms.scaleMax);
  const [rows, columns] = halfExtent(patch, { rotation, scale });
  const isExact = transforms.rotation === 0 && scale === 1;
  const place = (half: number, size: number, draw: number): number => {
    const room = size - 2 * half;
    if (room <= 0) return size / 2;
    return half + (isExact ? Math.floor(draw * (room + 1)) : draw * room);
  };
  return { row: place(rows, image[0], rng.next()), column: place(columns, image[1], rng.next()), rotation: rotation + 0, scale };
}

/** @throws PARAMETER_INVALID when the patch at its largest is larger than the image. */
export const refuseTransforms = (patch: Patch, image: ImageShape, transforms: PatchTransforms): void =>
  refuseTooLarge(patch.height, patch.width, transforms.scaleMax, image, `The patch at scale ${transforms.scaleMax}`);

/** The pixels that a patch can touch under these transforms: how many at most, and the square that holds them wherever it lies. */
export function reach(patch: Patch, { rotation, scaleMax }: PatchTransforms): { readonly pixels: number; readonly side: number } {
  if (patch.height === 0 || patch.width === 0) return { pixels: 0, side: 0 };
  // A pixel is touched where the bilinear weights of the mask are positive: within one cell of the middle of one of its own.
  const [height, width] = [(patch.height + 1) * scaleMax, (patch.width + 1) * scaleMax];
  if (patch.shape === "disc") {
    const radius = (farthestCell(patch) + Math.SQRT2) * scaleMax;
    return { pixels: pointsIn(Math.PI * radius ** 2, 2 * Math.PI * radius), side: Math.ceil(2 * radius) };
  }
  const largest = (a: number, b: number): number => {
    const angle = Math.min(Math.atan2(b, a), (Math.min(rotation, 90) * Math.PI) / 180);
    return a * Math.cos(angle) + b * Math.sin(angle);
  };
  const side = Math.ceil(Math.max(largest(height, width), largest(width, height)));
  return { pixels: pointsIn(height * width, 2 * (height + width)), side };
}

/** Distance of the outermost cell that is not transparent from the middle. */
function farthestCell({ mask, height, width }: Patch): number {
  let farthest = 0;
  mask.forEach((alpha, cell) => {
    if (alpha > 0) farthest = Math.max(farthest, Math.hypot(Math.floor(cell / width) - (height - 1) / 2, (cell % width) - (width - 1) / 2));
  });
  return farthest;
}

/** A convex region holds at most area + perimeter/2 + 1 points of a grid (Nosarzewska 1948). */
const pointsIn = (area: number, perimeter: number): number => Math.floor(area + perimeter / 2 + 1);
