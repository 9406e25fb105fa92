import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeTransparent } from "../../../../src/engine/io/decode.ts";
import { imageFromBytes, type ReadOptions, readImage } from "../../../../src/engine/io/images.ts";
import { writePng } from "../../../../src/engine/io/png.ts";
import { fromBytes, toBytes } from "../../../../src/engine/pixels.ts";

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-images-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const rgb: ReadOptions = { channels: 3, resize: "none" };
const gray: ReadOptions = { channels: 1, resize: "none" };
const raw = (data: readonly number[], width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(Uint8Array.from(data), { raw: { width, height, channels } });
const bytesOf = async (bytes: Uint8Array, options: ReadOptions) => [...toBytes((await imageFromBytes(bytes, "x.png", options)).pixels)];

/** One row of CMYK pixels as an uncompressed TIFF, written by hand: eight tags, then the inks. */
function cmykTiff(inks: readonly number[]): Uint8Array {
  const tags = [
    [256, 4, inks.length / 4], // width
    [257, 4, 1], // height
    [258, 3, 8], // bits of a sample
    [262, 3, 5], // separated
    [273, 4, 8 + 2 + 9 * 12 + 4], // where the strip begins
    [277, 3, 4], // samples of a pixel
    [278, 4, 1], // rows of a strip
    [279, 4, inks.length], // bytes of the strip
    [332, 3, 1], // CMYK
  ] as const;
  const head = Buffer.alloc(8 + 2 + tags.length * 12 + 4);
  head.write("II*\0", "latin1");
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, type, value], i) => {
    const at = 10 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(1, at + 4);
    head.writeUInt32LE(value, at + 8);
  });
  return Buffer.concat([head, Uint8Array.from(inks)]);
}

describe("bytes", () => {
  it("rounds half up and clamps", () => {
    // 255·0.5 = 127.5 → 128; 255·0.1 = 25.5 in exact arithmetic, and in float64 25.5 too → 26
    expect([...toBytes([0, 1, 0.5, 0.1, -0.2, 1.7, Number.NaN])]).toEqual([0, 255, 128, 26, 0, 255, 0]);
  });
  it("inverts exactly for every byte", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(toBytes(fromBytes(all))).toEqual(all);
  });
});

describe("images", () => {
  it("decodes a PNG to its exact values, row by row, channels together", async () => {
    const png = await raw([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30], 2, 2, 3).png().toBuffer();
    const image = await imageFromBytes(png, "x.png", rgb);
    expect(image).toMatchObject({ height: 2, width: 2, channels: 3, notes: [] });
    expect([...image.pixels.slice(0, 6)]).toEqual([1, 0, 0, 0, 1, 0]);
    expect(image.pixels[9]).toBeCloseTo(10 / 255, 7);
  });

  it("writes what it reads, bit by bit, in 1, 3 and 4 channels", async () => {
    for (const channels of [1, 3] as const) {
      const bytes = Uint8Array.from({ length: 6 * channels }, (_, i) => (i * 37) % 256);
      const file = path.join(folder, `c${channels}.png`);
      await writePng(file, bytes, 2, 3, channels);
      expect((await sharp(file).metadata()).channels).toBe(channels);
      expect(toBytes((await readImage(file, { channels, resize: "none" })).pixels)).toEqual(bytes);
    }
    const rgba = path.join(folder, "rgba.png");
    await writePng(rgba, Uint8Array.of(1, 2, 3, 0), 1, 1, 4);
    expect([...(await sharp(rgba).raw().toBuffer())]).toEqual([1, 2, 3, 0]);
  });

  it("goes from colour to grayscale by BT.601 luma and says so", async () => {
    const png = await raw([255, 0, 0, 0, 255, 0, 0, 0, 255], 3, 1, 3).png().toBuffer();
    const image = await imageFromBytes(png, "x.png", gray);
    expect([...toBytes(image.pixels)]).toEqual([76, 150, 29]); // .299·255 = 76.2, .587·255 = 149.7, .114·255 = 29.1
    expect(image.notes).toEqual(["colour converted to grayscale"]);
    const gray3 = await raw([7, 7, 7, 200, 200, 200], 2, 1, 3).png().toBuffer();
    expect(await imageFromBytes(gray3, "x.png", gray)).toMatchObject({ notes: [] });
    expect(await bytesOf(gray3, gray)).toEqual([7, 200]);
  });

  it("repeats a grayscale image in three channels", async () => {
    const png = await raw([5, 250], 2, 1, 1).toColourspace("b-w").png().toBuffer();
    expect(await bytesOf(png, rgb)).toEqual([5, 5, 5, 250, 250, 250]);
    expect((await imageFromBytes(png, "x.png", rgb)).notes).toHaveLength(1);
  });

  it("turns an image upright by its EXIF orientation", async () => {
    const tagged = await raw([10, 10, 10, 90, 90, 90], 2, 1, 3).withMetadata({ orientation: 6 }).png().toBuffer(); // 6: turn right
    const image = await imageFromBytes(tagged, "x.png", rgb);
    expect([image.height, image.width]).toEqual([2, 1]);
    expect([...toBytes(image.pixels)]).toEqual([10, 10, 10, 90, 90, 90]); // left becomes top
    expect(image.notes).toEqual(["turned upright by its EXIF orientation"]);
  });

  it("converts CMYK as Pillow does", async () => {
    // Pillow 9.4: Image.new("CMYK", …).convert("RGB"); by hand for the first: light 253, 253 − round(253·144/255) = 110
    const inks = [144, 5, 74, 2, 0, 0, 0, 0, 255, 255, 255, 0, 10, 200, 30, 255];
    const image = await imageFromBytes(cmykTiff(inks), "x.tif", rgb);
    expect([...toBytes(image.pixels)]).toEqual([110, 248, 180, 255, 255, 255, 0, 0, 0, 0, 0, 0]);
    expect(image.notes).toEqual(["converted from CMYK"]);
  });

  it("decodes a CMYK JPEG and WebP", async () => {
    const white = sharp({ create: { width: 8, height: 8, channels: 3, background: "white" } });
    const cmyk = await white.clone().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    const image = await imageFromBytes(cmyk, "x.jpg", rgb);
    expect(image.notes).toEqual(["converted from CMYK"]);
    expect(Math.min(...image.pixels)).toBeGreaterThan(0.95);
    const webp = await raw([1, 2, 3, 200, 100, 50], 2, 1, 3).webp({ lossless: true }).toBuffer();
    expect(await bytesOf(webp, rgb)).toEqual([1, 2, 3, 200, 100, 50]);
  });

  it("leaves out an alpha channel that is opaque everywhere, and the content decides what a file is", async () => {
    const rgba = await raw([1, 2, 3, 255, 40, 50, 60, 255], 2, 1, 4).png().toBuffer();
    expect(await bytesOf(rgba, rgb)).toEqual([1, 2, 3, 40, 50, 60]);
    expect((await imageFromBytes(rgba, "photo.jfif", rgb)).notes).toEqual([]);
    const grayAlpha = await raw([7, 255, 200, 255], 2, 1, 2).toColourspace("b-w").png().toBuffer();
    expect((await sharp(grayAlpha).metadata()).channels).toBe(2);
    expect(await bytesOf(grayAlpha, gray)).toEqual([7, 200]);
  });

  it("resizes: cover crops, contain borders, fill distorts", async () => {
    // left half 0, right half 200, 8 wide and 4 high
    const data = Array.from({ length: 32 }, (_, i) => (i % 8 < 4 ? 0 : 200));
    const png = await raw(data, 8, 4, 1).toColourspace("b-w").png().toBuffer();
    const to = (resize: ReadOptions["resize"]) => imageFromBytes(png, "x.png", { size: [4, 4], channels: 1, resize });
    expect([...toBytes((await to("cover")).pixels).slice(0, 4)]).toEqual([0, 0, 200, 200]); // columns 2 to 5
    const contained = toBytes((await to("contain")).pixels);
    expect([...contained.slice(0, 4), ...contained.slice(12)]).toEqual(new Array(8).fill(0)); // black above and below
    expect(contained[4 + 3]).toBeGreaterThan(180);
    const filled = toBytes((await to("fill")).pixels);
    expect(filled[0]).toBeLessThan(20);
    expect(filled[15]).toBeGreaterThan(180);
    expect((await to("fill")).notes).toEqual(["resized from 4×8 to 4×4, stretched"]);
    expect((await to("cover")).notes).toEqual(["resized from 4×8 to 4×4, centre crop"]);
    await expect(to("none")).rejects.toMatchObject({ code: "IMAGE_SIZE", message: expect.stringMatching(/4×8.*4×4/) });
  });

  it("cuts the centre out without resizing, and crops further after a cover", async () => {
    const bytes = Array.from({ length: 6 * 8 }, (_, i) => i); // rows of 0…7, 8…15, …
    const png = await raw(bytes, 8, 6, 1).toColourspace("b-w").png().toBuffer();
    const cut = await imageFromBytes(png, "x.png", { size: [2, 4], channels: 1, resize: "crop" });
    expect([...toBytes(cut.pixels)]).toEqual([18, 19, 20, 21, 26, 27, 28, 29]); // rows 2 and 3, columns 2 to 5
    expect(cut.notes).toEqual(["centre 2×4 cut out of 6×8"]);
    // a share of 0.5: resized to 6×8 (its own size), of which the centre 3×4 is kept; of two middles the even one, as torchvision has it
    const covered = await imageFromBytes(png, "x.png", { size: [3, 4], channels: 1, resize: "cover", crop: 0.5 });
    expect([...toBytes(covered.pixels)]).toEqual([18, 19, 20, 21, 26, 27, 28, 29, 34, 35, 36, 37]); // rows 2 to 4
    await expect(imageFromBytes(png, "x.png", { size: [7, 7], channels: 1, resize: "crop" })).rejects.toMatchObject({
      code: "IMAGE_SIZE",
      message: "x.png is 6×8 (height×width), too small to cut 7×7 out of it.",
    });
  });
});

describe("images that are refused", () => {
  const refused = (bytes: Uint8Array, pattern: RegExp) =>
    expect(imageFromBytes(bytes, "x.png", rgb)).rejects.toMatchObject({ code: "IMAGE_INVALID", message: expect.stringMatching(pattern) });

  it("16 bits a channel", async () => {
    const png = await sharp(Uint16Array.of(0, 300, 65535), { raw: { width: 1, height: 1, channels: 3 } })
      .toColourspace("rgb16")
      .png()
      .toBuffer();
    await refused(png, /16 bits/);
  });

  it("transparent ones, in gray as in colour", async () => {
    await refused(await raw([1, 2, 3, 255, 1, 2, 3, 128], 2, 1, 4).png().toBuffer(), /transparent in places \(row 0, column 1\)/);
    await refused(await raw([7, 254], 1, 1, 2).toColourspace("b-w").png().toBuffer(), /transparent in places/);
  });

  it("formats that cannot be read, by their own names", async () => {
    const head = (...parts: (string | number)[]) =>
      Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.alloc(part) : Buffer.from(part, "latin1"))));
    await refused(head(4, "ftypheic", 20), /is a HEIC file, which is not supported/);
    await refused(head("P6\n2 2\n255\n", 12), /is a PPM file/);
    await refused(head(40, "TRUEVISION-XFILE.\0"), /is a TGA file/);
    await refused(head("8BPS", 40), /is a Photoshop file/);
    await refused(head("%PDF-1.7\n", 40), /is a PDF file/);
  });

  it("text named .png, an empty file, half a PNG, a drawing", async () => {
    await refused(Buffer.from("not a picture"), /damaged or is not an image/);
    await refused(new Uint8Array(), /empty/);
    const png = await sharp({
      create: { width: 64, height: 64, channels: 3, background: "red", noise: { type: "gaussian", mean: 128, sigma: 30 } },
    })
      .png()
      .toBuffer();
    await refused(png.subarray(0, png.length / 2), /damaged/);
    await refused(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'), /SVG/);
  });

  it("half a PNG with transparency, where that may be", async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 4 }, (_, i) => (i * i * 31 + i * 17) % 251);
    const png = await sharp(noise, { raw: { width: 64, height: 64, channels: 4 } })
      .png()
      .toBuffer();
    await expect(decodeTransparent(png, "x.png")).resolves.toMatchObject({ height: 64, channels: 4 });
    await expect(decodeTransparent(png.subarray(0, png.length / 2), "x.png")).rejects.toMatchObject({
      code: "IMAGE_INVALID",
      message: "x.png is damaged or is not an image.",
    });
  });

  it("a file that is missing, and a folder", async () => {
    await expect(readImage(path.join(folder, "none.png"), rgb)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(readImage(folder, rgb)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});
