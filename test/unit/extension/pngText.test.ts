import sharp from "sharp";
import { expect, it } from "vitest";
import { encodePng } from "../../../src/engine/io/decode.ts";
import { withTextOf } from "../../../src/extension/panels/inspector/pngText.ts";

it("a picture of the panel has the text of the picture on it, and its own pixels", async () => {
  const text = { Software: "Bulwark 1.2.3", Bulwark: '{"attack":{"id":"pgd"},"ε":"8/255"}' };
  const source = await encodePng(Uint8Array.of(1, 2, 3), 1, 1, 3, { text });
  const panel = await encodePng(Uint8Array.of(9, 8, 7, 6, 5, 4), 1, 2, 3);
  const exported = withTextOf(panel, source);
  expect([...(await sharp(exported).raw().toBuffer())]).toEqual([9, 8, 7, 6, 5, 4]);
  const found = Buffer.from(exported);
  for (const value of Object.values(text)) expect(found.includes(Buffer.from(value, "utf8"))).toBe(true);
  // The header comes first (PNG specification, 5.6), then the text.
  expect([found.toString("latin1", 12, 16), found.toString("latin1", 37, 41)]).toEqual(["IHDR", "iTXt"]);
  expect(withTextOf(panel, panel)).toEqual(Buffer.from(panel));
});
