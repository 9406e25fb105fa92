/** Nearest of the 256 levels that a PNG can hold, halves upwards. */
export const to8Bit = (v: number): number => Math.floor(255 * v + 0.5) / 255;
