/** A pixel in [0,1] → a byte, round half up, clamped; NaN counts as 0. */
export const pixelToByte = (pixel: number): number => (pixel >= 1 ? 255 : pixel > 0 ? Math.floor(255 * pixel + 0.5) : 0);

export function pixelsToBytes(pixels: Float32Array): Uint8Array {
  const bytes = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) bytes[i] = pixelToByte(pixels[i] as number);
  return bytes;
}
