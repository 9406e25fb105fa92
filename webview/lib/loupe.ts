/** What part of an image is seen, shared by pictures that zoom and pan together. Positions are shares of the image, (0,0) top left. */
export interface View {
  /** 1 shows the whole image, 4 a quarter of its width. */
  readonly zoom: number;
  readonly centreX: number;
  readonly centreY: number;
}
export interface Pixel {
  readonly row: number;
  readonly column: number;
}
export const wholeImage: View = { zoom: 1, centreX: 0.5, centreY: 0.5 };
export const largestZoom = 32;

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** The seen part: left, top and side as shares of the image; never beyond its edge. */
export function seen(view: View): { readonly left: number; readonly top: number; readonly side: number } {
  const side = 1 / view.zoom;
  return { left: clamp(view.centreX - side / 2, 0, 1 - side), top: clamp(view.centreY - side / 2, 0, 1 - side), side };
}

/** Zooms so that the point at (x, y) of the window, as shares of it, stays where it is. */
export function zoomed(view: View, factor: number, x = 0.5, y = 0.5): View {
  const before = seen(view);
  const zoom = clamp(view.zoom * factor, 1, largestZoom);
  const side = 1 / zoom;
  return settled({
    zoom,
    centreX: before.left + (before.side - side) * x + side / 2,
    centreY: before.top + (before.side - side) * y + side / 2,
  });
}

/** Moves by shares of the window. */
export function panned(view: View, x: number, y: number): View {
  return settled({ ...view, centreX: view.centreX + x / view.zoom, centreY: view.centreY + y / view.zoom });
}

function settled(view: View): View {
  const { left, top, side } = seen(view);
  return { zoom: view.zoom, centreX: left + side / 2, centreY: top + side / 2 };
}

/** The pixel under (x, y) of the window. */
export function pixelAt(view: View, x: number, y: number, width: number, height: number): Pixel {
  const { left, top, side } = seen(view);
  return {
    row: clamp(Math.floor((top + y * side) * height), 0, height - 1),
    column: clamp(Math.floor((left + x * side) * width), 0, width - 1),
  };
}

/** The view moved just so far that the whole pixel is inside. */
export function revealed(view: View, pixel: Pixel, width: number, height: number): View {
  const { left, top, side } = seen(view);
  return settled({
    zoom: view.zoom,
    centreX: moveTo(view.centreX, left, side, pixel.column / width, 1 / width),
    centreY: moveTo(view.centreY, top, side, pixel.row / height, 1 / height),
  });
}

function moveTo(centre: number, start: number, side: number, place: number, size: number): number {
  if (place < start) return place + side / 2;
  return place + size > start + side ? place + size - side / 2 : centre;
}

export interface Loupe {
  view: View;
  pixel: Pixel | null;
  set(change: { readonly view?: View; readonly pixel?: Pixel | null }): void;
  onChange(listener: () => void): void;
}

export function createLoupe(): Loupe {
  const listeners: (() => void)[] = [];
  const loupe: Loupe = {
    view: wholeImage,
    pixel: null,
    set(change) {
      if (change.view) loupe.view = change.view;
      if (change.pixel !== undefined) loupe.pixel = change.pixel;
      for (const listener of listeners) listener();
    },
    onChange: (listener) => void listeners.push(listener),
  };
  return loupe;
}
