import { expect, it } from "vitest";
import { decodeImage } from "../../../../src/engine/io/decode.ts";

const bytes = (...head: number[]): Uint8Array => Uint8Array.from([...head, ...new Array<number>(200).fill(0)]);
const text = (content: string): Uint8Array => new Uint8Array(Buffer.from(content, "latin1"));

it.each([
  ["a pointer of Git LFS", text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"), /is a Git LFS pointer/],
  ["a web page", text("<!DOCTYPE html>\n<html><body>404</body></html>"), /is a web page and not a picture/],
  ["a web page behind a byte-order mark", text("\u00ef\u00bb\u00bf  <html lang='en'></html>"), /is a web page/],
  ["DDS", text(`DDS \u007c${"\0".repeat(130)}`), /is a DDS file, which is not supported/],
  ["SGI", bytes(0x01, 0xda, 1, 1, 0, 3), /is an SGI file/],
  ["PCX", bytes(0x0a, 5, 1, 8), /is a PCX file/],
  ["ICO", bytes(0, 0, 1, 0, 1, 0, 16, 16, 0, 0), /is an ICO file/],
  ["what is neither", text("plain text that is long enough to be something"), /is damaged or is not an image/],
])("%s is called what it is", async (_, content, message) => {
  await expect(decodeImage(content, "x.jpg")).rejects.toMatchObject({
    code: "IMAGE_INVALID",
    message: expect.stringMatching(message),
    fix: expect.any(String),
  });
});
