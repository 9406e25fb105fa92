import { encodePng, type PngOptions } from "./decode.ts";
import { writeAtomic } from "./files.ts";

/** Writes 8-bit pixels [height, width, channels] as a PNG: lossless, so the file decodes to the same bytes. */
export async function writePng(
  file: string,
  bytes: Uint8Array,
  height: number,
  width: number,
  channels: 1 | 3 | 4,
  options: PngOptions = {},
): Promise<void> {
  if (bytes.length !== height * width * channels)
    throw new Error(`${bytes.length} bytes are not an image of ${height}×${width}×${channels}`);
  await writeAtomic(file, await encodePng(bytes, height, width, channels, options));
}
