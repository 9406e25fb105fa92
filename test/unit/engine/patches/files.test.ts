import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeTransparent, encodePng } from "../../../../src/engine/io/decode.ts";
import { readImage } from "../../../../src/engine/io/images.ts";
import { loadPatch } from "../../../../src/engine/patches/load.ts";
import { coverageOf, greyPatch, rounded } from "../../../../src/engine/patches/patch.ts";
import { writePrint } from "../../../../src/engine/patches/print.ts";
import { type PatchFacts, savePatch } from "../../../../src/engine/patches/save.ts";
import { createRandom } from "../../../../src/engine/random.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "patch-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
const at = (name: string) => path.join(directory, name);

const figures = { images: 4, successRate: 0.5, targetRate: 0.25, logProbability: -1 };
const facts: PatchFacts = {
  area: 0.2,
  transforms: { rotation: 10, scaleMin: 1, scaleMax: 1 },
  training: {
    params: {},
    seed: 1,
    backend: "cpu",
    images: "the training images of mnist",
    imageCount: 4,
    model: { name: "m", sha256: null },
    steps: 1,
    seconds: 1,
    history: [{ step: 1, ...figures }],
    figures,
    before: figures,
  },
  classNames: ["cat", "dog"],
};
const image = [10, 10, 3] as const;
function coloured(shape: "disc" | "square", channels: 1 | 3) {
  const grey = greyPatch(shape, 0.2, [10, 10, channels], 1);
  return rounded({ ...grey, pixels: createRandom(3).uniforms(grey.pixels.length) });
}

describe("a patch's files", () => {
  it.each([
    ["disc", 3],
    ["square", 3],
    ["disc", 1],
  ] as const)("bring back a %s of %d channels exactly", async (shape, channels) => {
    const patch = coloured(shape, channels);
    const document = await savePatch(directory, `${shape}-${channels}`, patch, [10, 10, channels], facts);
    expect(document).toMatchObject({ shape, coverage: coverageOf(patch, image), target: { index: 1, name: "dog" }, area: 0.2 });
    for (const name of [`${shape}-${channels}.png`, `${shape}-${channels}.json`]) {
      const loaded = await loadPatch(at(name), [10, 10, channels], { area: 0.9, target: null });
      expect(loaded.patch).toEqual(patch);
      expect(loaded.document).toEqual(document);
    }
  });

  it("fit images of another size by covering the same share", async () => {
    await savePatch(directory, "other", coloured("disc", 3), image, facts);
    const { patch } = await loadPatch(at("other.png"), [50, 60, 1], { area: 0.9, target: 0 });
    expect(patch.channels).toBe(1);
    expect(patch.target).toBe(0);
    expect(coverageOf(patch, [50, 60, 1])).toBeCloseTo(0.2, 2);
  });

  it("are refused when the picture is not the one described", async () => {
    await savePatch(directory, "changed", coloured("square", 3), image, facts);
    await writeFile(at("changed.png"), await encodePng(new Uint8Array(3 * 3 * 3), 3, 3, 3));
    await expect(loadPatch(at("changed.json"), image, { area: 0.1, target: null })).rejects.toMatchObject({ code: "IMAGE_INVALID" });
    await writeFile(at("other-file.json"), "[]");
    await expect(loadPatch(at("other-file.json"), image, { area: 0.1, target: null })).rejects.toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining("does not describe a patch"),
    });
    await expect(loadPatch(at("none.png"), image, { area: 0.1, target: null })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

describe("a sticker", () => {
  it("covers the share asked for, its transparent half not counted", async () => {
    const rgba = new Uint8Array(20 * 10 * 4).fill(200);
    for (let i = 0; i < 20 * 10; i++) rgba[4 * i + 3] = i % 10 < 5 ? 255 : 0;
    await writeFile(at("half.png"), await encodePng(rgba, 20, 10, 4));
    // 100 opaque pixels of 20×10 are to be 1250 of 100×100: 3.5355 times as long on both sides
    const { patch, document } = await loadPatch(at("half.png"), [100, 100, 3], { area: 0.125, target: 7 });
    expect([patch.height, patch.width, patch.target, document]).toEqual([71, 35, 7, null]);
    expect(coverageOf(patch, [100, 100, 3])).toBeCloseTo(0.125, 2);
    expect(patch.pixels[0]).toBeCloseTo(200 / 255, 6);
  });

  it("may be a JPEG or grey, and is refused where it is larger than the image or not there at all", async () => {
    await writeFile(at("grey.png"), await encodePng(new Uint8Array(40 * 4).fill(51), 40, 4, 1));
    await expect(loadPatch(at("grey.png"), image, { area: 0.1, target: null })).resolves.toMatchObject({ patch: { height: 10, width: 1 } });
    await expect(loadPatch(at("grey.png"), image, { area: 0.4, target: null })).rejects.toMatchObject({
      code: "PARAMETER_INVALID",
      message: "grey.png at 40.0 % of the image is 20×2 pixels, larger than the image of 10×10.",
    });
    await writeFile(at("clear.png"), await encodePng(new Uint8Array(4 * 4 * 4), 4, 4, 4));
    await expect(loadPatch(at("clear.png"), image, { area: 0.1, target: null })).rejects.toMatchObject({ code: "IMAGE_INVALID" });
    await writeFile(at("text.png"), "no picture");
    await expect(loadPatch(at("text.png"), image, { area: 0.1, target: null })).rejects.toMatchObject({ code: "IMAGE_INVALID" });
  });
});

describe("a print", () => {
  /** Pixels to the metre of a PNG's pHYs chunk, as the PNG specification lays it out. */
  const physical = (png: Buffer) => {
    const found = png.indexOf("pHYs");
    return [png.readUInt32BE(found + 4), png.readUInt32BE(found + 8), png[found + 12]];
  };
  const raster = { data: Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 0]), height: 1, width: 2, channels: 4 };

  it("says its size on paper: 10 cm at 300 dpi are 1181 pixels of 11811 to the metre", async () => {
    const options = { centimetres: 10, dpi: 300, upscaling: "nearest", background: "transparent", file: at("print.png") } as const;
    const result = await writePrint(raster, options);
    expect(result.pixels).toEqual([591, 1181]);
    expect(result.centimetres[1]).toBeCloseTo(10, 2);
    const png = await readFile(at("print.png"));
    expect(physical(png)).toEqual([11811, 11811, 1]);
    const { data, height, width } = await decodeTransparent(png, "print.png");
    expect([height, width]).toEqual([591, 1181]);
    // The middle of pixel 590 lies in the middle of the print: the second cell begins there.
    expect([...data.slice(4 * 589, 4 * 590)]).toEqual([255, 0, 0, 255]);
    expect(data[4 * 591 + 3]).toBe(0);
  });

  it("is smooth on white paper where that is asked for", async () => {
    const options = { centimetres: 2.54, dpi: 100, upscaling: "smooth", background: "white", file: at("smooth.png") } as const;
    expect((await writePrint(raster, options)).pixels).toEqual([50, 100]);
    const { data } = await decodeTransparent(await readFile(at("smooth.png")), "smooth.png");
    expect([...data.slice(0, 4)]).toEqual([255, 0, 0, 255]);
    expect([...data.slice(4 * 99, 4 * 100)]).toEqual([255, 255, 255, 255]);
    const middle = data[4 * 50 + 1] as number;
    expect(middle).toBeGreaterThan(60);
    expect(middle).toBeLessThan(200);
    expect((await readImage(at("smooth.png"), { channels: 3, resize: "none" })).height).toBe(50); // opaque, so an image like any other
  });

  it("is refused at a size that is none", async () => {
    const options = { dpi: 300, upscaling: "nearest", background: "white", file: at("none.png") } as const;
    for (const centimetres of [0, 1000, Number.NaN])
      await expect(writePrint(raster, { ...options, centimetres })).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });
});
