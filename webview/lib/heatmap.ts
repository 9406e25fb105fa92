import { cividis, diverging, type Rgb } from "../../src/shared/colour.ts";
import { h } from "./dom.ts";
import type { Pixels } from "./pixels.ts";

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

/** The colour of every byte, as RGBA in this machine's byte order. */
const cividisOfByte = new Uint32Array(
  Uint8ClampedArray.from(Array.from({ length: 256 }, (_, byte) => [...cividis(byte / 255), 255]).flat()).buffer,
);

/** Grey values 0…255 as cividis. */
export function colourMap(rgba: Uint8ClampedArray): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint32Array(rgba.length / 4);
  for (let i = 0; i < out.length; i++) out[i] = cividisOfByte[rgba[4 * i] ?? 0] ?? 0;
  return new Uint8ClampedArray(out.buffer);
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

/** Where a map is largest, in words. Lighter means more in cividis, and so in grey. */
export function strongest({ data, width }: Pixels): string {
  let best = 0;
  let at = 0;
  for (let i = 0; data && i < data.length; i += 4) {
    const light = (data[i] ?? 0) + (data[i + 1] ?? 0);
    if (light > best) {
      best = light;
      at = i / 4;
    }
  }
  return `row ${Math.floor(at / width)} column ${at % width}`;
}
