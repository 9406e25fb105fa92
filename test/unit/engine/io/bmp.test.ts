import { describe, expect, it } from "vitest";
import { decodeBmp } from "../../../../src/engine/io/bmp.ts";
import { imageFromBytes } from "../../../../src/engine/io/images.ts";
import { toBytes } from "../../../../src/engine/pixels.ts";

/** File header, BITMAPINFOHEADER and body, as the format's documentation lays them out. */
function bmp(width: number, height: number, bits: number, body: readonly number[], palette: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(54 + palette.length + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54 + palette.length, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, bits, true);
  bytes.set(palette, 54);
  bytes.set(body, 54 + palette.length);
  return bytes;
}

describe("bmp", () => {
  it("reads 24-bit rows from the bottom, blue first, padded to four bytes", () => {
    const file = bmp(1, 2, 24, [1, 2, 3, 0, 4, 5, 6, 0]);
    expect(decodeBmp(file, "x")).toEqual({ data: Uint8Array.of(6, 5, 4, 3, 2, 1), height: 2, width: 1, channels: 3 });
    expect([...decodeBmp(bmp(1, -2, 24, [1, 2, 3, 0, 4, 5, 6, 0]), "x").data]).toEqual([3, 2, 1, 6, 5, 4]);
  });

  it("reads palettes and 32-bit pixels", () => {
    expect([...decodeBmp(bmp(2, 1, 8, [1, 0, 0, 0], [9, 8, 7, 0, 3, 2, 1, 0]), "x").data]).toEqual([1, 2, 3, 7, 8, 9]);
    expect([...decodeBmp(bmp(1, 1, 32, [3, 2, 1, 0]), "x").data]).toEqual([1, 2, 3]);
  });

  it("reads one and four bits a pixel, the left one in the highest bits", () => {
    const blackAndWhite = [0, 0, 0, 0, 255, 255, 255, 0];
    const red = ({ data }: { readonly data: Uint8Array }): number[] => [...data].filter((_, i) => i % 3 === 0);
    // Ten pixels take two bytes, a row four: 0b1010_0000, 0b0100_0000
    expect(red(decodeBmp(bmp(10, 1, 1, [0xa0, 0x40, 0, 0], blackAndWhite), "x"))).toEqual([255, 0, 255, 0, 0, 0, 0, 0, 0, 255]);
    const palette = Array.from({ length: 16 }, (_, i) => [3 * i, 2 * i, i, 0]).flat();
    expect([...decodeBmp(bmp(3, 1, 4, [0x5f, 0x20, 0, 0], palette), "x").data]).toEqual([5, 10, 15, 15, 30, 45, 2, 4, 6]);
  });

  it("is read like any other image", async () => {
    const image = await imageFromBytes(bmp(1, 1, 24, [30, 20, 10, 0]), "x.bmp", { channels: 3, resize: "none" });
    expect([...toBytes(image.pixels)]).toEqual([10, 20, 30]);
  });

  it("refuses every truncation and an index outside the palette", async () => {
    const file = bmp(3, 2, 24, new Array(24).fill(1));
    for (let length = 2; length < file.length; length++) {
      await expect(imageFromBytes(file.subarray(0, length), "x", { channels: 3, resize: "none" })).rejects.toMatchObject({
        code: "IMAGE_INVALID",
      });
    }
    expect(() => decodeBmp(bmp(1, 1, 8, [7, 0, 0, 0], [1, 2, 3, 0]), "x")).toThrow(/palette/);
  });
});
