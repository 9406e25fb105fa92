/** Pixels in [0,1] → bytes: round(255·x), half up, clamped to 0…255; NaN becomes 0. */
export function toBytes(pixels: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(pixels.length);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Math.min(255, Math.max(0, Math.floor(255 * (pixels[i] as number) + 0.5)));
  }
  return bytes;
}

const fraction = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Bytes → float32 in [0,1], into `target` from `offset` on. */
export function fromBytes(bytes: Uint8Array, target: Float32Array = new Float32Array(bytes.length), offset = 0): Float32Array {
  for (let i = 0; i < bytes.length; i++) target[offset + i] = fraction[bytes[i] as number] as number;
  return target;
}
