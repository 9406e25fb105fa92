/** Pixels in [0,1] → bytes, round half up, clamped; NaN counts as 0. */
export function pixelsToBytes(pixels: Float32Array): Uint8Array {
  const bytes = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) bytes[i] = Math.min(255, Math.max(0, Math.floor(255 * (pixels[i] as number) + 0.5)));
  return bytes;
}
