import { describe, expect, it } from "vitest";
import { resizeBilinear } from "../../../../src/engine/io/resample.ts";

const raster = (height: number, width: number, channels: number, step: number) => ({
  data: Uint8Array.from({ length: height * width * channels }, (_, i) => (i * step) % 256),
  height,
  width,
  channels,
});
const resized = (of: ReturnType<typeof raster>, height: number, width: number): number[] => [...resizeBilinear(of, height, width).data];

// Every number below is what Pillow 9.4 gives for the same bytes: Image.fromarray(…).resize((width, height), Image.BILINEAR)
describe("bilinear resizing", () => {
  const grey = raster(5, 7, 1, 37);
  it("makes smaller with a filter as wide as the step", () =>
    expect(resized(grey, 3, 4)).toEqual([20, 78, 146, 204, 25, 83, 151, 209, 30, 88, 156, 214]));

  it("makes one side alone smaller", () => {
    expect(resized(grey, 2, 7)).toEqual([3, 40, 77, 114, 151, 188, 225, 9, 46, 83, 120, 157, 194, 231]);
    expect(resized(grey, 5, 3)).toEqual([32, 111, 190, 35, 114, 193, 38, 117, 196, 41, 120, 199, 44, 123, 202]);
  });

  it("makes larger between pixel centres", () =>
    expect(resized(grey, 8, 9).slice(0, 27)).toEqual([
      0, 25, 53, 82, 111, 140, 169, 197, 222, 1, 26, 54, 83, 112, 141, 170, 198, 223, 3, 28, 56, 85, 114, 143, 172, 200, 225,
    ]));

  it("keeps colours apart", () =>
    expect(resized(raster(4, 6, 3, 53), 2, 4)).toEqual([
      101, 154, 98, 143, 123, 107, 149, 117, 105, 118, 89, 142, 101, 113, 143, 131, 127, 115, 113, 125, 109, 145, 134, 146,
    ]));

  it("leaves a picture of the wanted size as it is", () => expect(resized(grey, 5, 7)).toEqual([...grey.data]));
});
