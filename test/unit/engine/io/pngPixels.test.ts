import zlib from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../../src/engine/io/decode.ts";
import { plainPngPixels } from "../../../../src/engine/io/pngPixels.ts";

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const file = Buffer.alloc(body.length + 8);
  file.writeUInt32BE(data.length);
  body.copy(file, 4);
  file.writeUInt32BE(zlib.crc32(body), body.length + 4);
  return file;
}

interface Picture {
  readonly width: number;
  readonly height: number;
  /** 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha. */
  readonly colourType: number;
  readonly channels: number;
  readonly samples: Uint8Array;
}
interface Writing {
  readonly depth?: number;
  readonly interlace?: number;
  /** Of each row in turn. */
  readonly filters?: readonly number[];
  /** Between header and data. */
  readonly more?: readonly Buffer[];
  readonly parts?: number;
  /** Bytes behind the picture's. */
  readonly surplus?: number;
}

/** A PNG as section 9 of ISO/IEC 15948 has it: each byte less what its filter predicts. */
function png({ width, height, colourType, channels, samples }: Picture, o: Writing = {}): Uint8Array {
  const row = width * channels;
  const sample = (y: number, i: number) => (y < 0 || i < 0 ? 0 : (samples[y * row + i] as number));
  const predicted = (y: number, i: number, filter: number): number => {
    const [a, b, c] = [sample(y, i - channels), sample(y - 1, i), i < channels ? 0 : sample(y - 1, i - channels)];
    const nearest = [a, b, c].toSorted((p, q) => Math.abs(a + b - c - p) - Math.abs(a + b - c - q))[0] as number; // stable: a, b, c
    return [0, a, b, Math.floor((a + b) / 2), nearest][filter] ?? 0;
  };
  const lines = Buffer.alloc(height * (row + 1) + (o.surplus ?? 0));
  for (let y = 0; y < height; y++) {
    const filter = (o.filters ?? [0])[y % (o.filters ?? [0]).length] as number;
    lines[y * (row + 1)] = filter;
    for (let i = 0; i < row; i++) lines[y * (row + 1) + 1 + i] = (sample(y, i) - predicted(y, i, filter)) & 255;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([o.depth ?? 8, colourType, 0, 0, o.interlace ?? 0], 8);
  const data = zlib.deflateSync(lines);
  const length = Math.ceil(data.length / (o.parts ?? 1));
  const parts = Array.from({ length: o.parts ?? 1 }, (_, i) => chunk("IDAT", data.subarray(i * length, (i + 1) * length)));
  const head = [Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), ...(o.more ?? [])];
  return new Uint8Array(Buffer.concat([...head, ...parts, chunk("IEND", new Uint8Array())]));
}

const picture = (width: number, height: number, colourType: number, most = 256): Picture => {
  const channels = [1, 0, 3, 1, 2, 0, 4][colourType] as number;
  // a slope with jumps: neighbours are alike, so that filters predict something, and sums pass 255
  const samples = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 7 + (i >> 3) * 31 + (i % 5) * 90) % most);
  if (colourType === 6) for (let i = 3; i < samples.length; i += 4) samples[i] = 255;
  return { width, height, colourType, channels, samples };
};
const palette = chunk(
  "PLTE",
  Uint8Array.from({ length: 3 * 16 }, (_, i) => (i * 73) % 256),
);
const needs = (colourType: number): Writing => (colourType === 3 ? { more: [palette] } : {});
const withSharp = async (file: Uint8Array) => {
  const { data, info } = await sharp(file, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), channels: info.channels, height: info.height, width: info.width };
};
const sizes = [
  [1, 1],
  [1, 7],
  [6, 1],
  [13, 9],
  [28, 28],
] as const;

describe("a plain PNG", () => {
  for (const colourType of [0, 2, 3, 6])
    it.each([[[0]], [[1]], [[2]], [[3]], [[4]], [[4, 3, 2, 1, 0]], [[1, 4]]])(
      `of colour type ${colourType} and filters %j has libvips' pixels`,
      async (filters) => {
        for (const [width, height] of sizes) {
          const one = picture(width, height, colourType, colourType === 3 ? 16 : 256);
          const file = png(one, { ...needs(colourType), filters });
          const expected = await withSharp(file);
          const plain = plainPngPixels(file);
          // libvips makes three equal channels of one that is grey
          const data =
            plain?.channels === 1 && expected.channels === 3
              ? Uint8Array.from(expected.data, (_, i) => plain.data[Math.floor(i / 3)] as number)
              : plain?.data;
          expect({ data, height: plain?.height, width: plain?.width }).toEqual({ data: expected.data, height, width });
          if (colourType !== 3) expect(plain?.data).toEqual(one.samples);
        }
      },
    );

  it("may come in several pieces, with the size of a pixel, a gamma, a time and a text", async () => {
    const more = [
      chunk("gAMA", Uint8Array.of(0, 1, 0x86, 0xa0)), // 1.0: libvips does not apply it either
      chunk("pHYs", Uint8Array.of(0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1)),
      chunk("tEXt", Buffer.from("Software\0a text", "latin1")),
    ];
    const one = picture(13, 9, 2);
    const file = png(one, { more, parts: 3, filters: [4] });
    expect(plainPngPixels(file)?.data).toEqual(one.samples);
    expect((await withSharp(file)).data).toEqual(one.samples);
  });

  it("is read as one that sharp wrote", async () => {
    const rgb = picture(40, 30, 2);
    const written = sharp(rgb.samples, { raw: { width: 40, height: 30, channels: 3 } });
    const adaptive = new Uint8Array(await written.clone().png({ adaptiveFiltering: true }).toBuffer());
    expect(plainPngPixels(adaptive)?.data).toEqual(rgb.samples);
    const few = new Uint8Array(await written.clone().png({ palette: true, colours: 200 }).toBuffer());
    expect(plainPngPixels(few)?.data).toEqual((await withSharp(few)).data);
  });
});

describe("what is left to libvips", () => {
  const one = picture(8, 8, 2);
  const changed = (file: Uint8Array, place: number) => file.map((byte, i) => (i === place ? byte ^ 1 : byte));
  const plain = png(one);
  it.each<[string, Uint8Array]>([
    ["grey with transparency", png(picture(8, 8, 4))],
    ["16 bits a sample", png({ ...one, channels: 6, samples: picture(16, 8, 2).samples }, { depth: 16 })],
    ["an interlaced file", png(one, { interlace: 1 })],
    ["a transparent colour", png(one, { more: [chunk("tRNS", new Uint8Array(6))] })],
    ["an orientation", png(one, { more: [chunk("eXIf", new Uint8Array(12))] })],
    ["an orientation in a text", png(one, { more: [chunk("tEXt", Buffer.from("Raw profile type exif\0…"))] })],
    ["a colour profile", png(one, { more: [chunk("iCCP", new Uint8Array(20))] })],
    ["an animation", png(one, { more: [chunk("acTL", new Uint8Array(8))] })],
    ["a filter that there is not", png(one, { filters: [5] })],
    ["more data than pixels", png(one, { surplus: 1 })],
    ["a place beyond the palette", png(picture(8, 8, 3, 17), { more: [palette] })],
    ["a palette that is missing", png(picture(8, 8, 3, 16))],
    ["half a file", plain.subarray(0, plain.length / 2)],
    ["bytes behind the end", Uint8Array.from([...plain, 0])],
    ["a damaged header", changed(plain, 19)],
    ["damaged data", changed(plain, 60)],
    ["a large picture", png(picture(300, 300, 2))],
    ["no PNG", Uint8Array.of(1, 2, 3)],
  ])("%s", (_, file) => {
    expect(plainPngPixels(file)).toBeNull();
  });

  it("a picture is transparent or damaged in the same words", async () => {
    const clear = picture(3, 2, 6);
    clear.samples[4 * 4 + 3] = 254;
    await expect(decodeImage(png(clear), "x.png")).rejects.toThrow("x.png is transparent in places (row 1, column 1).");
    await expect(decodeImage(changed(plain, 60), "x.png")).rejects.toThrow("x.png is damaged or is not an image.");
  });
});
