import { createHash } from "node:crypto";
import path from "node:path";
import { decodeImage } from "../io/decode.ts";
import { isLossy } from "../io/lossy.ts";

type Shape = readonly [height: number, width: number, channels: number];

/** First 16 hexadecimal digits of the SHA-256 over a kind, sizes as little-endian uint32 and bytes (contract.md §8). */
function idOf(kind: "px1" | "f32" | "file", sizes: readonly number[], bytes: Uint8Array): string {
  const head = Buffer.alloc(kind.length + 1 + 4 * sizes.length);
  head.write(kind, "latin1");
  sizes.forEach((size, i) => {
    head.writeUInt32LE(size, kind.length + 1 + 4 * i);
  });
  return createHash("sha256").update(head).update(bytes).digest("hex").slice(0, 16);
}

/**
 * Identity of an image that its source keeps without loss: 8-bit pixels [H,W,C] at the source's own size. Three equal channels are the
 * same image as one, so grey pictures have one identity however they were saved.
 */
export function pixelIdentity(bytes: Uint8Array, [height, width, channels]: Shape): string {
  const grey = channels === 3 ? oneChannel(bytes) : null;
  return idOf("px1", [height, width, grey ? 1 : channels], grey ?? bytes);
}

/** The first of three interleaved channels, null where they differ. */
function oneChannel(rgb: Uint8Array): Uint8Array | null {
  const first = new Uint8Array(rgb.length / 3);
  for (let i = 0; i < first.length; i++) {
    const value = rgb[3 * i] as number;
    if (value !== rgb[3 * i + 1] || value !== rgb[3 * i + 2]) return null;
    first[i] = value;
  }
  return first;
}

/** Identity of an image that its source keeps as numbers [H,W,C]; float64 counts as the float32 that is used. */
export function floatIdentity(values: Float32Array, shape: Shape): string {
  return idOf("f32", shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/**
 * Identity of an image file: of its pixels, or of its bytes where a lossy format leaves it to the decoder what they are.
 * @throws IMAGE_INVALID for what is no image
 */
export async function fileIdentity(bytes: Uint8Array, file: string): Promise<string> {
  if (isLossy(bytes)) return idOf("file", [], bytes);
  const { data, height, width, channels } = await decodeImage(bytes, path.basename(file));
  return pixelIdentity(data, [height, width, channels]);
}

/** Ids of images in their order: the second equal one gets "#2", the third "#3". */
export function numberedIds(ids: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return ids.map((id) => {
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return times === 1 ? id : `${id}#${times}`;
  });
}
