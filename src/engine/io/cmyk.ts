import type { Raster } from "./decode.ts";

/**
 * Ink in bytes [C,M,Y,K], 255 = full → RGB as Pillow's `convert("RGB")` computes it, which is what training pipelines do:
 * (255 − K) − round((255 − K)·C/255), no colour profile.
 */
export function cmykToRgb({ data, height, width }: Raster): Raster {
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const light = 255 - (data[4 * i + 3] as number);
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = light - timesOver255(data[4 * i + c] as number, light);
  }
  return { data: rgb, height, width, channels: 3 };
}

/** round(a·b/255) of two bytes in whole numbers (Blinn 1995). */
function timesOver255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
