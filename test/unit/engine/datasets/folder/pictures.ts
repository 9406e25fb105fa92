import sharp from "sharp";

/** A PNG of 2×2 pixels of one colour. */
export const png = (value: number): Promise<Buffer> =>
  sharp({ create: { width: 2, height: 2, channels: 3, background: { r: value, g: value + 1, b: value + 2 } } })
    .png()
    .toBuffer();
