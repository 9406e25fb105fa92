/** An image [H,W,C] in [0,1] on the host. */
export interface HostImage {
  readonly pixels: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Linear sRGB → XYZ by the white point D65 (2°), each row divided by that of white. */
const toXyz = [
  [0.412453 / 0.95047, 0.35758 / 0.95047, 0.180423 / 0.95047],
  [0.212671, 0.71516, 0.072169],
  [0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883],
] as const;
const linear = (v: number): number => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92);
const compress = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);

/** CIE L*a*b* of sRGB, [H·W·3]. Of an image with fewer than three channels the first is taken for all of them: a grey image has a = b = 0. */
export function labOf({ pixels, height, width, channels }: HostImage): Float64Array {
  const lab = new Float64Array(height * width * 3);
  for (let p = 0; p < height * width; p++) {
    const [r, g, b] = [0, 1, 2].map((c) => linear(pixels[p * channels + (channels < 3 ? 0 : c)] as number)) as [number, number, number];
    const [x, y, z] = toXyz.map((row) => compress(row[0] * r + row[1] * g + row[2] * b)) as [number, number, number];
    lab[p * 3] = 116 * y - 16;
    lab[p * 3 + 1] = 500 * (x - y);
    lab[p * 3 + 2] = 200 * (y - z);
  }
  return lab;
}
