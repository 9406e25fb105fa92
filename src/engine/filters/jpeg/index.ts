import type { ImageFilter } from "../host.ts";
import { doubled, halved, type Plane, quantised } from "./planes.ts";
import { tablesOf } from "./tables.ts";

export interface JpegSettings {
  /** 1…100 */
  readonly quality: number;
  /** Colour at half the resolution in both directions, or at the full one. */
  readonly subsampling: "4:2:0" | "4:4:4";
}

type Three = readonly [Plane, Plane, Plane];

/** What JPEG compression leaves of an image in [0,1]: the pixels that libjpeg decodes from its own encoding, to the bit. Its entropy coding loses nothing and is left out. */
export const jpegCompressed = (settings: JpegSettings): ImageFilter => {
  const tables = tablesOf(settings.quality);
  return (pixels, [height, width, channels]) => {
    const planes = Array.from({ length: channels }, (_, c) => planeOf(pixels, height, width, { channel: c, channels }));
    if (channels !== 3) return joined(planes.map((plane) => quantised(plane, tables.luminance)));
    const [y, cb, cr] = toYcc(planes as unknown as Three);
    const colour = (plane: Plane): Plane =>
      settings.subsampling === "4:4:4"
        ? quantised(plane, tables.chrominance)
        : doubled(quantised(halved(plane), tables.chrominance), height, width);
    return joined(toRgb([quantised(y, tables.luminance), colour(cb), colour(cr)]));
  };
};

/** One channel in bytes, halves up. */
function planeOf(pixels: Float32Array, height: number, width: number, o: { channel: number; channels: number }): Plane {
  const samples = new Uint8Array(height * width);
  for (let i = 0; i < samples.length; i++)
    samples[i] = Math.min(255, Math.max(0, Math.floor((pixels[i * o.channels + o.channel] as number) * 255 + 0.5)));
  return { height, width, samples };
}

function joined(planes: readonly Plane[]): Float32Array {
  const pixels = new Float32Array(planes.reduce((sum, { samples }) => sum + samples.length, 0));
  for (const [c, { samples }] of planes.entries())
    for (let i = 0; i < samples.length; i++) pixels[i * planes.length + c] = (samples[i] as number) / 255;
  return pixels;
}

/** JFIF's colours, in libjpeg's integers of 16 fractional bits. */
function toYcc([r, g, b]: Three): Three {
  const { height, width } = r;
  const [y, cb, cr] = [0, 0, 0].map(() => new Uint8Array(height * width)) as [Uint8Array, Uint8Array, Uint8Array];
  for (let i = 0; i < y.length; i++) {
    const [red, green, blue] = [r.samples[i] as number, g.samples[i] as number, b.samples[i] as number];
    y[i] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
    cb[i] = (-11059 * red - 21709 * green + 32768 * blue + 8388608 + 32767) >> 16;
    cr[i] = (32768 * red - 27439 * green - 5329 * blue + 8388608 + 32767) >> 16;
  }
  return [y, cb, cr].map((samples) => ({ height, width, samples })) as unknown as Three;
}

function toRgb([y, cb, cr]: Three): Plane[] {
  const { height, width } = y;
  const [red, green, blue] = [0, 0, 0].map(() => new Uint8ClampedArray(height * width)) as [
    Uint8ClampedArray,
    Uint8ClampedArray,
    Uint8ClampedArray,
  ];
  for (let i = 0; i < red.length; i++) {
    const [light, u, v] = [y.samples[i] as number, (cb.samples[i] as number) - 128, (cr.samples[i] as number) - 128];
    red[i] = light + ((91881 * v + 32768) >> 16);
    green[i] = light + ((-22554 * u - 46802 * v + 32768) >> 16);
    blue[i] = light + ((116130 * u + 32768) >> 16);
  }
  return [red, green, blue].map((samples) => ({ height, width, samples: new Uint8Array(samples.buffer) }));
}
