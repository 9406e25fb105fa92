import { BulwarkError } from "../../shared/errors.ts";
import { mostPixels, type Raster } from "./decode.ts";

export const isBmp = (bytes: Uint8Array): boolean => bytes.length >= 2 && bytes[0] === 0x42 && bytes[1] === 0x4d;

/**
 * Windows bitmap without compression: 1, 4 or 8 bits with a palette, 24 or 32 bits. Rows are padded to four bytes and usually run from
 * the bottom up. The fourth byte of 32-bit pixels is alpha only where the header says so (version 4 and later).
 */
export function decodeBmp(bytes: Uint8Array, name: string): Raster {
  const bad = (what: string) => new BulwarkError("IMAGE_INVALID", `${name} is a bitmap that ${what}.`, "Save it as PNG.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 54) throw bad("ends in its header");
  const start = view.getUint32(10, true);
  const headerSize = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const rawHeight = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const height = Math.abs(rawHeight);
  if (headerSize < 40 || width <= 0 || height === 0 || width * height > mostPixels) throw bad("has no valid size");
  const alphaMask = compression === 3 && headerSize >= 108 && bytes.length >= 70 ? view.getUint32(66, true) : 0;
  if (!plainPixels(view, bits, compression)) throw bad("is compressed or has an unusual pixel format");
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (start + rowBytes * height > bytes.length) throw bad("is cut off");

  const channels = alphaMask ? 4 : 3;
  const data = new Uint8Array(height * width * channels);
  const palette = 14 + headerSize;
  for (let y = 0; y < height; y++) {
    const row = start + rowBytes * (rawHeight > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const at = bits <= 8 ? palette + 4 * indexAt(bytes, row, x, bits) : row + x * (bits / 8);
      if (bits <= 8 && at + 3 >= start) throw bad("names a colour that its palette lacks");
      const to = (y * width + x) * channels;
      data[to] = bytes[at + 2] as number; // stored as blue, green, red
      data[to + 1] = bytes[at + 1] as number;
      data[to + 2] = bytes[at] as number;
      if (alphaMask) data[to + 3] = bytes[at + 3] as number;
    }
  }
  return { data, height, width, channels };
}

/** Several pixels share a byte, the left one in its highest bits. */
function indexAt(bytes: Uint8Array, row: number, x: number, bits: number): number {
  const byte = bytes[row + Math.floor((x * bits) / 8)] as number;
  return (byte >> (8 - bits - ((x * bits) % 8))) & ((1 << bits) - 1);
}

function plainPixels(view: DataView, bits: number, compression: number): boolean {
  if (compression === 0) return [1, 4, 8, 24, 32].includes(bits);
  if (compression !== 3 || bits !== 32 || view.byteLength < 66) return false;
  return view.getUint32(54, true) === 0xff0000 && view.getUint32(58, true) === 0xff00 && view.getUint32(62, true) === 0xff;
}
