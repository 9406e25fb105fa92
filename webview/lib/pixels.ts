import type { SentPicture } from "../../src/shared/panels.ts";

/** A decoded picture: what is drawn, and its bytes where the browser lets us read them. Those of a file are read on first use. */
export interface Pixels {
  readonly source: CanvasImageSource;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | null;
}

const cache = new Map<string, Promise<Pixels>>();
const keep = 256;

/** Loads and decodes once per address. */
export function loadPixels(url: string): Promise<Pixels> {
  // Webview resources come with Access-Control-Allow-Origin, so that their pixels can be read; others are drawn only.
  return (
    cache.get(url) ??
    keepLoading(
      url,
      decode(url, true).catch(() => decode(url, false)),
    )
  );
}

/** Decodes a picture that came with a message, so that its address need not be asked for. */
export function keepPicture({ url, data }: SentPicture): void {
  void keepLoading(url, decode(data, true));
}

function keepLoading(url: string, loading: Promise<Pixels>): Promise<Pixels> {
  loading.catch(() => cache.delete(url));
  cache.set(url, loading);
  const oldest = cache.keys().next();
  if (cache.size > keep && !oldest.done) cache.delete(oldest.value);
  return loading;
}

async function decode(url: string, readable: boolean): Promise<Pixels> {
  const image = new Image();
  if (readable) image.crossOrigin = "anonymous";
  image.src = url;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  let data: Uint8ClampedArray | null | undefined = readable ? undefined : null;
  return {
    source: image,
    width,
    height,
    get data() {
      if (data === undefined) data = read(image, width, height);
      return data;
    },
  };
}

function read(source: CanvasImageSource, width: number, height: number): Uint8ClampedArray | null {
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(source, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

/** Bytes made here, as a picture. */
export function fromBytes(data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number): Pixels {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d")?.putImageData(new ImageData(data, width, height), 0, 0);
  return { source: canvas, width, height, data };
}

/** Value of a pixel in [0,1]: one number for grey, three for colour. */
export function valueAt(pixels: Pixels, row: number, column: number): readonly number[] | null {
  if (!pixels.data) return null;
  const at = 4 * (row * pixels.width + column);
  const rgb = [0, 1, 2].map((c) => (pixels.data?.[at + c] ?? 0) / 255);
  return rgb[0] === rgb[1] && rgb[0] === rgb[2] ? rgb.slice(0, 1) : rgb;
}
