import { crc32 } from "./crc32.ts";

const afterHeader = 33; // signature 8, IHDR 4 + 4 + 13 + 4

/**
 * A PNG with text that image viewers and scripts can read: one uncompressed iTXt chunk (UTF-8) for each entry, right behind the header.
 * Keywords are 1 to 79 Latin letters, digits and spaces (PNG specification, 11.3.3).
 */
export function withText(png: Uint8Array, entries: Readonly<Record<string, string>>): Uint8Array {
  const chunks = Object.entries(entries).map(([keyword, text]) => textChunk(keyword, text));
  return Buffer.concat([png.subarray(0, afterHeader), ...chunks, png.subarray(afterHeader)]);
}

function textChunk(keyword: string, text: string): Uint8Array {
  if (!/^[\w ]{1,79}$/.test(keyword)) throw new Error(`"${keyword}" is no keyword of a PNG text`);
  // keyword, zero, not compressed, method 0, no language, no translated keyword
  const data = Buffer.concat([Buffer.from(keyword, "latin1"), Buffer.from([0, 0, 0, 0, 0]), Buffer.from(text, "utf8")]);
  const body = Buffer.concat([Buffer.from("iTXt", "latin1"), data]);
  const chunk = Buffer.alloc(4 + body.length + 4);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 4 + body.length);
  return chunk;
}
