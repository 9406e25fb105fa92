import zlib from "node:zlib";
import { crc32 } from "./crc32.ts";
import type { Raster } from "./decode.ts";

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Channels of the colour types that are read here, at 8 bits a sample: grey, colour, palette, colour with transparency. */
const channelsOf: Readonly<Record<number, 1 | 3 | 4>> = { 0: 1, 2: 3, 3: 1, 6: 4 };
/** Chunks that do not affect the pixels. Files with others, such as a transparent colour, a profile or an orientation, are left to sharp. */
const harmless = new Set(["IHDR", "PLTE", "IDAT", "IEND", "pHYs", "gAMA", "cHRM", "sRGB", "tIME", "tEXt"]);
/** Samples of the largest image that is read here, 295×295 in colour. Beyond it sharp's own thread pays off. */
const most = 1 << 18;

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}
interface Header {
  readonly width: number;
  readonly height: number;
  readonly colourType: number;
  readonly channels: 1 | 3 | 4;
}

/**
 * The pixels of a small, plain PNG: 8 bits a sample, not interlaced, and without chunks that change the pixels. A call of sharp takes about a
 * millisecond whatever the picture's size, ten times as long as unpacking a digit.
 * @param largest samples of an image that is still read here
 * @returns null for every other file, including damaged ones: sharp reads or refuses those
 * Source: ISO/IEC 15948 (PNG), sections 5, 9 and 11.
 */
export function plainPngPixels(file: Uint8Array, largest = most): Raster | null {
  const chunks = chunksOf(file);
  const header = chunks && headerOf(chunks, largest);
  if (!header) return null;
  const { width, height, channels, colourType } = header;
  const row = width * channels;
  const lines = inflated(chunks, height * (row + 1));
  const data = lines && unfiltered(lines, height, row, channels);
  if (!data) return null;
  if (colourType === 3) return coloured(data, header, chunks.find(({ type }) => type === "PLTE")?.data);
  return { data, height, width, channels };
}

/** Null where a chunk is cut off or damaged, may change the pixels, or lies at an unusual place. */
function chunksOf(file: Uint8Array): readonly Chunk[] | null {
  if (!signature.every((byte, i) => file[i] === byte)) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  let at = signature.length;
  while (at + 12 <= file.length) {
    const end = at + 8 + view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (!harmless.has(type) || end + 4 > file.length || crc32(file.subarray(at + 4, end)) !== view.getUint32(end)) return null;
    const data = file.subarray(at + 8, end);
    if (type === "tEXt" && String.fromCharCode(...data.subarray(0, 16)) === "Raw profile type") return null; // EXIF by ImageMagick
    chunks.push({ type, data });
    at = end + 4;
    if (type === "IEND") break;
  }
  const types = chunks.map((chunk) => (chunk.type === "IDAT" ? "D" : "-")).join("");
  const isWhole = at === file.length && chunks.at(-1)?.type === "IEND" && /^-+D+-+$/.test(types);
  return isWhole ? chunks : null;
}

function headerOf([first, ...others]: readonly Chunk[], largest: number): Header | null {
  if (first?.type !== "IHDR" || first.data.length !== 13 || others.some(({ type }) => type === "IHDR")) return null;
  const view = new DataView(first.data.buffer, first.data.byteOffset, 13);
  const [width, height, depth, colourType] = [view.getUint32(0), view.getUint32(4), view.getUint8(8), view.getUint8(9)];
  const channels = channelsOf[colourType];
  const isPlain = depth === 8 && view.getUint8(10) === 0 && view.getUint8(11) === 0 && view.getUint8(12) === 0;
  if (!channels || !isPlain || width === 0 || height === 0 || width * height * channels > largest) return null;
  return { width, height, colourType, channels };
}

/** Null where the data are damaged or of another size. */
function inflated(chunks: readonly Chunk[], size: number): Uint8Array | null {
  const parts = chunks.flatMap(({ type, data }) => (type === "IDAT" ? [data] : []));
  try {
    const lines = zlib.inflateSync(parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts), { maxOutputLength: size });
    return lines.length === size ? lines : null;
  } catch {
    return null;
  }
}

/** Each line begins with its filter's number, 0 to 4; null for another one. */
function unfiltered(lines: Uint8Array, height: number, row: number, channels: number): Uint8Array | null {
  const data = new Uint8Array(height * row);
  let above = new Uint8Array(row);
  for (let y = 0; y < height; y++) {
    const start = y * (row + 1);
    const line = data.subarray(y * row, (y + 1) * row);
    line.set(lines.subarray(start + 1, start + 1 + row));
    if (!unfilterLine(line, above, lines[start] as number, channels)) return null;
    above = line;
  }
  return data;
}

/** Adds to each byte what is predicted of the bytes to its left, above it and between them. */
function unfilterLine(line: Uint8Array, above: Uint8Array, filter: number, channels: number): boolean {
  switch (filter) {
    case 0:
      return true;
    case 1:
      for (let i = channels; i < line.length; i++) line[i] = at(line, i) + at(line, i - channels);
      return true;
    case 2:
      for (let i = 0; i < line.length; i++) line[i] = at(line, i) + at(above, i);
      return true;
    case 3:
      for (let i = 0; i < line.length; i++) line[i] = at(line, i) + (((i < channels ? 0 : at(line, i - channels)) + at(above, i)) >> 1);
      return true;
    case 4:
      for (let i = 0; i < channels && i < line.length; i++) line[i] = at(line, i) + at(above, i); // nothing to the left: the byte above
      for (let i = channels; i < line.length; i++)
        line[i] = at(line, i) + paeth(at(line, i - channels), at(above, i), at(above, i - channels));
      return true;
    default:
      return false;
  }
}

const at = (values: Uint8Array, i: number): number => values[i] as number;

/** Whichever of left, up and corner is nearest to left + up − corner. */
function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** Null for a place that the palette does not have. */
function coloured(places: Uint8Array, { height, width }: Header, palette: Uint8Array | undefined): Raster | null {
  if (!palette || palette.length % 3 !== 0) return null;
  const data = new Uint8Array(places.length * 3);
  for (let i = 0; i < places.length; i++) {
    const from = 3 * at(places, i);
    if (from >= palette.length) return null;
    for (let c = 0; c < 3; c++) data[3 * i + c] = at(palette, from + c);
  }
  return { data, height, width, channels: 3 };
}
