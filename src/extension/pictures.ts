import { crc32, deflateSync } from "node:zlib";

/** A small picture by its pixels, 0…255. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  pixel(y: number, x: number): readonly [red: number, green: number, blue: number];
}

const gap = 2;

/** Pictures in rows of `columns` on a gray ground, as a PNG. */
export function contactSheet(pictures: readonly Picture[], columns: number): Buffer {
  const cellHeight = Math.max(1, ...pictures.map((p) => p.height)) + gap;
  const cellWidth = Math.max(1, ...pictures.map((p) => p.width)) + gap;
  const rows = Math.max(1, Math.ceil(pictures.length / columns));
  const [height, width] = [rows * cellHeight + gap, columns * cellWidth + gap];
  const rgb = Buffer.alloc(height * width * 3, 128);
  for (const [index, picture] of pictures.entries()) {
    const top = Math.floor(index / columns) * cellHeight + gap;
    const left = (index % columns) * cellWidth + gap;
    for (let y = 0; y < picture.height; y++)
      for (let x = 0; x < picture.width; x++) rgb.set(picture.pixel(y, x), ((top + y) * width + left + x) * 3);
  }
  return png(rgb, height, width);
}

/** PNG of 8-bit RGB, rows unfiltered (filter byte 0). */
function png(rgb: Buffer, height: number, width: number): Buffer {
  const raw = Buffer.alloc(height * (width * 3 + 1));
  for (let y = 0; y < height; y++) rgb.copy(raw, y * (width * 3 + 1) + 1, y * width * 3, (y + 1) * width * 3);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(raw)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
}
