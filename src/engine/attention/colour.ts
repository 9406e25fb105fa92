import { cividis, diverging } from "../../shared/colour.ts";

/** Attention [H·W] in [0,1] → RGB bytes [H·W·3]. */
export function attentionBytes(map: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(map.length * 3);
  for (let i = 0; i < map.length; i++) bytes.set(cividis(map[i] ?? 0), i * 3);
  return bytes;
}

/** Attention at half opacity over the grey picture; pixels [H·W·C] in [0,1]. */
export function overlayBytes(map: ArrayLike<number>, pixels: ArrayLike<number>, channels: number): Uint8Array {
  const colours = attentionBytes(map);
  return colours.map((colour, i) => {
    const pixel = Math.floor(i / 3) * channels;
    let grey = 0;
    for (let c = 0; c < channels; c++) grey += (pixels[pixel + c] ?? 0) / channels;
    return Math.round(0.5 * colour + 127.5 * grey);
  });
}

/**
 * Signed change per pixel as a colour, taken from the channel that changed most.
 * @returns RGB bytes, and the largest change in units of [0,1]: the end of the colour scale
 */
export function differenceBytes(
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  channels: number,
): { readonly bytes: Uint8Array; readonly max: number } {
  const change = new Float32Array(before.length / channels);
  let max = 0;
  for (let pixel = 0; pixel < change.length; pixel++) {
    for (let c = 0; c < channels; c++) {
      const d = (after[pixel * channels + c] ?? 0) - (before[pixel * channels + c] ?? 0);
      if (Math.abs(d) > Math.abs(change[pixel] as number)) change[pixel] = d;
    }
    max = Math.max(max, Math.abs(change[pixel] as number));
  }
  const bytes = new Uint8Array(change.length * 3);
  for (let i = 0; i < change.length; i++) bytes.set(diverging(max === 0 ? 0 : (change[i] as number) / max), i * 3);
  return { bytes, max };
}
