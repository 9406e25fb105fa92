export type Rgb = readonly [number, number, number];

/** Cividis (Nuñez, Anderton & Renslow 2018): ten equidistant colours, readable with any colour vision, lighter means more. */
const cividisStops: readonly Rgb[] = [
  [0, 32, 77],
  [0, 51, 111],
  [57, 72, 107],
  [87, 92, 109],
  [112, 113, 115],
  [138, 135, 121],
  [166, 157, 117],
  [196, 181, 108],
  [228, 207, 91],
  [255, 234, 70],
];
/** Blue – grey – orange, grey where nothing changed. */
const divergingStops: readonly Rgb[] = [
  [5, 62, 140],
  [60, 130, 200],
  [128, 128, 128],
  [232, 140, 50],
  [166, 66, 0],
];

function between(stops: readonly Rgb[], position: number): Rgb {
  const last = stops.length - 1;
  const at = Math.min(Math.max(Number.isNaN(position) ? 0 : position, 0), 1) * last;
  const low = Math.min(Math.floor(at), last - 1);
  const a = stops[low] ?? [0, 0, 0];
  const b = stops[low + 1] ?? a;
  const mix = (i: 0 | 1 | 2): number => Math.round(a[i] + (b[i] - a[i]) * (at - low));
  return [mix(0), mix(1), mix(2)];
}

/** Colour of a share in [0,1]. */
export const cividis = (share: number): Rgb => between(cividisStops, share);
/** Colour of a signed value in [−1,1]; 0 is grey. */
export const diverging = (value: number): Rgb => between(divergingStops, (value + 1) / 2);

/** Relative luminance of an sRGB colour, in [0,1] (WCAG 2.2). */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((byte) => {
    const share = byte / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
/** Black or white, whichever reads better on a colour: at least 4.5:1 on any. */
export const inkOn = (colour: Rgb): "#000" | "#fff" => (luminance(colour) > Math.sqrt(1.05 * 0.05) - 0.05 ? "#000" : "#fff");
