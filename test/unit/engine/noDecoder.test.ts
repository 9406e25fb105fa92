import { expect, it, vi } from "vitest";
import { decodeImage, whyNoDecoder } from "../../../src/engine/io/decode.ts";

vi.mock("sharp", () => {
  throw new Error('Could not load the "sharp" module using the linux-x64 runtime\nPossible solutions: many');
});

it("says that the decoder is missing, and not that the picture is damaged", async () => {
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46);
  await expect(decodeImage(jpeg, "cat.jpg")).rejects.toMatchObject({
    code: "PART_MISSING",
    message: expect.stringContaining("(sharp) cannot be loaded"),
    fix: expect.stringContaining("PNG"),
  });
  expect(await whyNoDecoder()).toContain("(sharp) cannot be loaded");
});
