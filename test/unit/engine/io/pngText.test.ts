import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { encodePng } from "../../../../src/engine/io/decode.ts";

/** Chunks of a PNG, read as the specification says, checksums compared by zlib's own CRC. */
async function chunksOf(png: Uint8Array): Promise<{ name: string; data: Buffer }[]> {
  const { crc32 } = await import("node:zlib");
  const file = Buffer.from(png);
  const chunks: { name: string; data: Buffer }[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const data = file.subarray(at + 8, at + 8 + length);
    if (typeof crc32 === "function") expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(file.subarray(at + 4, at + 8 + length)));
    chunks.push({ name: file.toString("latin1", at + 4, at + 8), data });
    at += 12 + length;
  }
  return chunks;
}

describe("text in a PNG", () => {
  it("stands in iTXt chunks behind the header, and the pixels stay", async () => {
    const pixels = Uint8Array.of(1, 2, 3, 40, 50, 60);
    const png = await encodePng(pixels, 1, 2, 3, { text: { Software: "Bulwark 0.1.0", Comment: "ε 8/255" } });
    const chunks = await chunksOf(png);
    expect(chunks.slice(0, 3).map(({ name }) => name)).toEqual(["IHDR", "iTXt", "iTXt"]);
    expect(chunks.at(-1)?.name).toBe("IEND");
    expect(chunks[2]?.data.toString("utf8")).toBe("Comment\0\0\0\0\0ε 8/255");
    expect([...(await sharp(png).raw().toBuffer())]).toEqual([...pixels]);
  });
  it("has a keyword of letters, digits and spaces", async () => {
    await expect(encodePng(Uint8Array.of(1), 1, 1, 1, { text: { "": "x" } })).rejects.toThrow("no keyword");
  });
});
