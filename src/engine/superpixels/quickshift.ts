import type { Random } from "../random.ts";
import { type HostImage, labOf } from "./lab.ts";

/** Settings of LIME. */
const kernelSize = 4;
const maxDistance = 200;
const ratio = 0.2;
const radius = Math.ceil(3 * kernelSize);
/** Deviation of what is added to densities: pixels of equal density would have no parent among each other. */
const tieBreak = 1e-5;

/**
 * Superpixels by quickshift (Vedaldi & Soatto 2008) in the space of Lab·0.2 and places: a pixel's density is Σ exp(−d²/2σ²) over a window of
 * 25×25 pixels with σ = 4, its parent the nearest pixel of that window with a higher one. Links longer than 200 are cut; trees are
 * superpixels.
 * @returns the superpixel of each pixel [H·W], 0 … S−1, in the order of their densest pixels
 */
export function quickshift(image: HostImage, random: Random): Int32Array {
  const features = labOf(image).map((value) => value * ratio);
  const densities = densitiesOf(features, image).map((density) => density + random.normal(0, tieBreak));
  return treesOf(parentsOf(features, densities, image));
}

type Size = Pick<HostImage, "height" | "width">;

/** Each pair of pixels is looked at once and counts for both. */
export function densitiesOf(features: Float64Array, { height, width }: Size): Float64Array {
  const densities = new Float64Array(height * width).fill(1);
  const scale = 1 / (2 * kernelSize ** 2);
  for (let dr = 0; dr <= radius; dr++)
    for (let dc = dr === 0 ? 1 : -radius; dc <= radius; dc++) {
      const apart = dr * dr + dc * dc;
      for (let r = 0; r + dr < height; r++)
        for (let c = Math.max(0, -dc); c < Math.min(width, width - dc); c++) {
          const p = r * width + c;
          const q = p + dr * width + dc;
          const near = decay((apart + colourDistance(features, p, q)) * scale);
          densities[p] = (densities[p] as number) + near;
          densities[q] = (densities[q] as number) + near;
        }
    }
  return densities;
}

const steps = 1024;
/** exp(−i/1024); what lies beyond is below 1e-17. */
const decays = Float64Array.from({ length: 40 * steps }, (_, i) => Math.exp(-i / steps));

/** exp(−x) of x ≥ 0 to 1e-13, by a table and the first terms of what is left: `Math.exp` would take most of the time. */
function decay(x: number): number {
  const i = Math.floor(x * steps);
  if (i >= decays.length) return 0;
  const left = x - i / steps;
  return (decays[i] as number) * (1 - left * (1 - left * (1 / 2 - left / 6)));
}

/** Squared. */
function colourDistance(features: Float64Array, p: number, q: number): number {
  const l = (features[3 * p] as number) - (features[3 * q] as number);
  const a = (features[3 * p + 1] as number) - (features[3 * q + 1] as number);
  const b = (features[3 * p + 2] as number) - (features[3 * q + 2] as number);
  return l * l + a * a + b * b;
}

interface Offset {
  readonly dr: number;
  readonly dc: number;
  readonly apart: number;
}
/** Places of the window, the nearest first, so that a search ends once no later one can be nearer than what it has. */
const offsets: readonly Offset[] = Array.from({ length: (2 * radius + 1) ** 2 }, (_, i) => {
  const [dr, dc] = [Math.floor(i / (2 * radius + 1)) - radius, (i % (2 * radius + 1)) - radius];
  return { dr, dc, apart: dr * dr + dc * dc };
}).sort((a, b) => a.apart - b.apart);

/** The nearest pixel of higher density within the window, or the pixel itself. */
export function parentsOf(features: Float64Array, densities: Float64Array, { height, width }: Size): Int32Array {
  return Int32Array.from(densities, (density, p) => {
    const [r, c] = [Math.floor(p / width), p % width];
    let nearest = maxDistance ** 2;
    let parent = p;
    for (const { dr, dc, apart } of offsets) {
      if (apart >= nearest) break;
      if (r + dr < 0 || r + dr >= height || c + dc < 0 || c + dc >= width) continue;
      const q = p + dr * width + dc;
      if ((densities[q] as number) <= density) continue;
      const distance = apart + colourDistance(features, p, q);
      if (distance < nearest) [nearest, parent] = [distance, q];
    }
    return parent;
  });
}

/** Numbers the trees by the place of their roots. */
function treesOf(parents: Int32Array): Int32Array {
  const roots = parents.map((_, p) => {
    let root = p;
    while (parents[root] !== root) root = parents[root] as number;
    return root;
  });
  const numbers = new Map([...new Set(roots)].sort((a, b) => a - b).map((root, i) => [root, i]));
  return roots.map((root) => numbers.get(root) as number);
}
