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

  it("converts a CMYK photo and decodes WebP", async () => {
    const white = sharp({ create: { width: 8, height: 8, channels: 3, background: "white" } });
    const cmyk = await white.clone().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    const image = await imageFromBytes(cmyk, "x.jpg", rgb);
    expect(image.notes).toEqual(["converted from CMYK"]);
    expect(Math.min(...image.pixels)).toBeGreaterThan(0.95);
    const webp = await raw([1, 2, 3, 200, 100, 50], 2, 1, 3).webp({ lossless: true }).toBuffer();
    expect(await bytesOf(webp, rgb)).toEqual([1, 2, 3, 200, 100, 50]);
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
    expect((await to("fill")).notes).toEqual(["resized from 4×8 to 4×4 (fill)"]);
    await expect(to("none")).rejects.toMatchObject({ code: "IMAGE_SIZE", message: expect.stringMatching(/4×8.*4×4/) });
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

  it("four channels, transparent or not, and gray with alpha", async () => {
    await refused(await raw([1, 2, 3, 128], 1, 1, 4).png().toBuffer(), /4 channels, one of them alpha/);
    await refused(await raw([1, 2, 3, 255], 1, 1, 4).png().toBuffer(), /4 channels, one of them alpha/);
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
    await refused(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'), /svg/);
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
