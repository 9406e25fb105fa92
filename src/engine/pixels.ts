/** A pixel in [0,1] → a byte, round half up, clamped to 0…255; NaN counts as 0. */
export const pixelToByte = (pixel: number): number => (pixel >= 1 ? 255 : pixel > 0 ? Math.floor(255 * pixel + 0.5) : 0);

/** Pixels in [0,1] → bytes, each by `pixelToByte`. */
export function toBytes(pixels: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) bytes[i] = pixelToByte(pixels[i] as number);
  return bytes;
}

const fraction = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Bytes → float32 in [0,1], into `target` from `offset` on. */
export function fromBytes(bytes: Uint8Array, target: Float32Array = new Float32Array(bytes.length), offset = 0): Float32Array {
  for (let i = 0; i < bytes.length; i++) target[offset + i] = fraction[bytes[i] as number] as number;
  return target;
}

/** The nearest of the 256 levels that a PNG can hold, halves upwards. */
export const to8Bit = (pixel: number): number => Math.floor(255 * pixel + 0.5) / 255;
