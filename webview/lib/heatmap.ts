import { h } from "./dom.ts";

export type Rgb = readonly [number, number, number];

/** Cividis (Nuñez, Anderton & Renslow 2018): ten equidistant colours, readable with any colour vision, lighter means more. */
const cividisStops: readonly Rgb[] = [
  [0x00, 0x20, 0x4d],
  [0x00, 0x33, 0x6f],
  [0x39, 0x48, 0x6b],
  [0x57, 0x5c, 0x6d],
  [0x70, 0x71, 0x73],
  [0x8a, 0x87, 0x79],
  [0xa6, 0x9d, 0x75],
  [0xc4, 0xb5, 0x6c],
  [0xe4, 0xcf, 0x5b],
  [0xff, 0xea, 0x46],
];
/** Blue – grey – orange, grey where nothing changed; the same colours as in the pictures that a run folder keeps. */
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

export interface Difference {
  /** RGBA, 4·height·width. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  /** Largest |change| in units of [0,1], and where it is. */
  readonly max: number;
  readonly row: number;
  readonly column: number;
}

/** Signed change of the channel that changed most, in units of [0,1]; both arguments are RGBA bytes. */
export function signedChange(clean: Uint8ClampedArray, adversarial: Uint8ClampedArray, pixel: number): number {
  let change = 0;
  for (let c = 0; c < 3; c++) {
    const d = ((adversarial[4 * pixel + c] ?? 0) - (clean[4 * pixel + c] ?? 0)) / 255;
    if (Math.abs(d) > Math.abs(change)) change = d;
  }
  return change;
}

/** The difference as diverging colours whose ends are at ±`scale`; `scale` "auto" is the largest change. */
export function differenceMap(clean: Uint8ClampedArray, adversarial: Uint8ClampedArray, width: number, scale: number | "auto"): Difference {
  const n = clean.length / 4;
  let max = 0;
  let where = 0;
  const changes = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const change = signedChange(clean, adversarial, i);
    changes[i] = change;
    if (Math.abs(change) > max) {
      max = Math.abs(change);
      where = i;
    }
  }
  const end = scale === "auto" ? max || 1 : scale;
  const pixels = new Uint8ClampedArray(4 * n);
  for (let i = 0; i < n; i++) {
    const [r, g, b] = diverging((changes[i] ?? 0) / end);
    pixels.set([r, g, b, 255], 4 * i);
  }
  return { pixels, max, row: Math.floor(where / width), column: where % width };
}

/** True when a picture carries values, not colours: then it is coloured here. */
export function isGrey(rgba: Uint8ClampedArray): boolean {
  for (let i = 0; i < rgba.length; i += 4) if (rgba[i] !== rgba[i + 1] || rgba[i] !== rgba[i + 2]) return false;
  return true;
}

/** Grey values 0…255 as cividis. */
export function colourMap(rgba: Uint8ClampedArray): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(rgba.length);
  for (let i = 0; i < rgba.length; i += 4) {
    const [r, g, b] = cividis((rgba[i] ?? 0) / 255);
    out.set([r, g, b, 255], i);
  }
  return out;
}

/** A strip of the colours with numbers under its ends and its middle. */
export function legend(
  colour: (position: number) => Rgb,
  label: string,
): { element: HTMLElement; label(low: string, middle: string, high: string): void } {
  const strip = h("canvas", { class: "legend-strip", attributes: { width: 128, height: 1, role: "img", "aria-label": label } });
  const context = strip.getContext("2d");
  for (let i = 0; i < 128 && context; i++) {
    const [r, g, b] = colour(i / 127);
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.fillRect(i, 0, 1, 1);
  }
  const numbers = [h("span"), h("span"), h("span")];
  const element = h("div", { class: "legend" }, strip, h("div", { class: "legend-numbers" }, ...numbers));
  return {
    element,
    label(...texts) {
      for (const [i, text] of texts.entries()) {
        const span = numbers[i];
        if (span) span.textContent = text;
      }
      strip.setAttribute("aria-label", `${label}: from ${texts[0]} through ${texts[1]} to ${texts[2]}`);
    },
  };
}
