const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

/**
 * Whether an image file's format leaves it to the decoder what its pixels are: JPEG, HEIF and AVIF, and the lossy kind of WebP. Told by
 * the bytes, not by the name.
 */
export function isLossy(bytes: Uint8Array): boolean {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return true;
  if (text(bytes, 4, 8) === "ftyp") return true;
  if (text(bytes, 0, 4) !== "RIFF" || text(bytes, 8, 12) !== "WEBP") return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Chunks of a name, a size and as many bytes, padded to even; pixels are in "VP8 " (lossy) or "VP8L".
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = text(bytes, at, at + 4);
    if (name === "VP8 " || name === "VP8L") return name === "VP8 ";
    at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) % 2);
  }
  return false;
}
