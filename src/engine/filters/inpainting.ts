import { harmonic } from "./harmonic.ts";
import type { ImageFilter } from "./host.ts";
import { areaOf, type Region } from "./morphology.ts";
import { telea } from "./telea.ts";

export type Inpainting = "telea" | "harmonic";

const methods = { telea, harmonic } as const;

/** Fills a region from what surrounds it; an image without a region, or within one altogether, stays as it is. */
export const inpainted =
  (region: Region | null, method: Inpainting): ImageFilter =>
  (pixels, [, , channels]) => {
    const area = region ? areaOf(region) : 0;
    if (!region || area === 0 || area === region.pixels.length) return pixels;
    return Float32Array.from(methods[method](Float64Array.from(pixels), channels, region));
  };
