import { h } from "./dom.ts";
import { type Loupe, type Pixel, panned, pixelAt, revealed, seen, wholeImage, zoomed } from "./loupe.ts";
import type { Pixels } from "./pixels.ts";

/** Something drawn over the picture, with its opacity. */
export interface Layer {
  readonly pixels: Pixels;
  readonly opacity: number;
}
/** A frame around a region, in pixels of the image. */
export interface Frame {
  readonly row: number;
  readonly column: number;
  readonly height: number;
  readonly width: number;
}
/** Lines along the edges of pixels, white on black so that they show on every picture. */
export interface Outline {
  /** From corner to corner, in pixels of the image. */
  readonly lines: readonly (readonly [row: number, column: number, toRow: number, toColumn: number])[];
  /** In pixels of the screen. */
  readonly thickness: number;
  readonly isDashed?: boolean;
}
export interface Picture {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  /** `null` shows the skeleton; `alternative` is what a screen reader says. */
  draw(layers: readonly Layer[] | null, alternative: string, frames?: readonly Frame[], outlines?: readonly Outline[]): void;
}

/** Images below this side are enlarged with their pixels kept square. */
const smallImage = 128;

/** @param pick called for the pixel that is clicked, or on which Enter or Space is pressed */
export function createPicture(loupe: Loupe, pick?: (pixel: Pixel) => void): Picture {
  const canvas = h("canvas", { attributes: { role: "img", tabindex: 0 } });
  const element = h("div", { class: "picture skeleton" }, canvas);
  let layers: readonly Layer[] | null = null;
  let marks: Marks = { frames: [], outlines: [] };
  let scheduled = false;
  const paint = (): void => {
    scheduled = false;
    if (layers) paintLayers(canvas, layers, marks, loupe);
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(paint);
  };
  loupe.onChange(schedule);
  new ResizeObserver(schedule).observe(element);
  watchPointer(canvas, loupe, () => layers?.[0]?.pixels ?? null);
  watchKeys(canvas, loupe, () => layers?.[0]?.pixels ?? null);
  if (pick) watchPicks(canvas, loupe, () => layers?.[0]?.pixels ?? null, pick);
  return {
    element,
    canvas,
    draw(next, alternative, frames = [], outlines = []) {
      layers = next;
      marks = { frames, outlines };
      const first = next?.[0]?.pixels;
      element.classList.toggle("skeleton", !first);
      element.style.aspectRatio = first ? `${first.width} / ${first.height}` : "1";
      canvas.setAttribute("aria-label", alternative);
      schedule();
    },
  };
}

interface Marks {
  readonly frames: readonly Frame[];
  readonly outlines: readonly Outline[];
}
function paintLayers(canvas: HTMLCanvasElement, layers: readonly Layer[], { frames, outlines }: Marks, loupe: Loupe): void {
  const ratio = devicePixelRatio;
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const first = layers[0]?.pixels;
  if (!context || !first) return;
  context.clearRect(0, 0, width, height);
  const { left, top, side } = seen(loupe.view);
  for (const { pixels, opacity } of layers) {
    context.globalAlpha = opacity;
    // A map lies at the model's resolution: smoothed unless the picture under it is a small one as well.
    context.imageSmoothingEnabled = Math.max(pixels.width, pixels.height) >= smallImage;
    context.drawImage(
      pixels.source,
      left * pixels.width,
      top * pixels.height,
      side * pixels.width,
      side * pixels.height,
      0,
      0,
      width,
      height,
    );
  }
  context.globalAlpha = 1;
  const scaleX = width / (side * first.width);
  const scaleY = height / (side * first.height);
  const outline = (row: number, column: number, rows: number, columns: number): void => {
    const box = [(column - left * first.width) * scaleX, (row - top * first.height) * scaleY, columns * scaleX, rows * scaleY] as const;
    for (const [colour, line] of [["#000", 4] as const, ["#fff", 2] as const]) {
      context.strokeStyle = colour;
      context.lineWidth = line * Math.min(ratio, 2);
      context.strokeRect(...box);
    }
  };
  const corner = (row: number, column: number): [number, number] => [
    (column - left * first.width) * scaleX,
    (row - top * first.height) * scaleY,
  ];
  for (const { lines, thickness, isDashed } of outlines)
    strokeTwice(
      context,
      lines.map(([a, b, c, d]) => [corner(a, b), corner(c, d)]),
      { thickness: thickness * Math.min(ratio, 2), isDashed },
    );
  for (const frame of frames) outline(frame.row, frame.column, frame.height, frame.width);
  if (loupe.pixel) outline(loupe.pixel.row, loupe.pixel.column, 1, 1);
}

type Point = readonly [x: number, y: number];
/** Black, and white with half the thickness on it. */
function strokeTwice(
  context: CanvasRenderingContext2D,
  lines: readonly (readonly [Point, Point])[],
  { thickness, isDashed = false }: { readonly thickness: number; readonly isDashed: boolean | undefined },
): void {
  context.beginPath();
  for (const [from, to] of lines) {
    context.moveTo(...from);
    context.lineTo(...to);
  }
  context.lineCap = "square";
  for (const [colour, line] of [["#000", thickness] as const, ["#fff", thickness / 2] as const]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    if (isDashed && colour === "#fff") context.setLineDash([thickness, thickness]);
    context.stroke();
  }
  context.setLineDash([]);
}

/** A click is one that did not move the picture. */
function watchPicks(canvas: HTMLCanvasElement, loupe: Loupe, pixels: () => Pixels | null, pick: (pixel: Pixel) => void): void {
  let pressed: Point = [0, 0];
  canvas.addEventListener("pointerdown", ({ clientX, clientY }) => {
    pressed = [clientX, clientY];
  });
  canvas.addEventListener("click", ({ clientX, clientY }) => {
    const image = pixels();
    if (!image || Math.hypot(clientX - pressed[0], clientY - pressed[1]) > 4) return;
    const box = canvas.getBoundingClientRect();
    pick(pixelAt(loupe.view, (clientX - box.left) / box.width, (clientY - box.top) / box.height, image.width, image.height));
  });
  canvas.addEventListener("keydown", (event) => {
    const image = pixels();
    if (!image || (event.key !== "Enter" && event.key !== " ")) return;
    pick(loupe.pixel ?? { row: Math.floor(image.height / 2), column: Math.floor(image.width / 2) });
    event.preventDefault();
  });
}

function watchPointer(canvas: HTMLCanvasElement, loupe: Loupe, pixels: () => Pixels | null): void {
  const share = (event: MouseEvent): readonly [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener("pointermove", (event) => {
    const image = pixels();
    if (!image) return;
    if (event.buttons & 1) {
      const box = canvas.getBoundingClientRect();
      loupe.set({ view: panned(loupe.view, -event.movementX / box.width, -event.movementY / box.height) });
      return;
    }
    loupe.set({ pixel: pixelAt(loupe.view, ...share(event), image.width, image.height) });
  });
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointerleave", () => loupe.set({ pixel: null }));
  canvas.addEventListener("dblclick", () => loupe.set({ view: wholeImage }));
  canvas.addEventListener(
    "wheel",
    (event) => {
      // The plain wheel scrolls the page; pinching arrives as a wheel with Ctrl.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      loupe.set({ view: zoomed(loupe.view, 1.2 ** (-event.deltaY / 50), ...share(event)) });
    },
    { passive: false },
  );
}

const arrows: Readonly<Record<string, readonly [row: number, column: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Arrows move the pixel that is read, with Shift they move the picture; plus, minus and 0 zoom. */
function watchKeys(canvas: HTMLCanvasElement, loupe: Loupe, pixels: () => Pixels | null): void {
  canvas.addEventListener("keydown", (event) => {
    const image = pixels();
    if (!image || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = arrows[event.key];
    if (arrow && event.shiftKey) loupe.set({ view: panned(loupe.view, arrow[1] / 8, arrow[0] / 8) });
    else if (arrow) {
      const from = loupe.pixel ?? { row: Math.floor(image.height / 2), column: Math.floor(image.width / 2) };
      const row = Math.min(Math.max(from.row + arrow[0], 0), image.height - 1);
      const column = Math.min(Math.max(from.column + arrow[1], 0), image.width - 1);
      loupe.set({ pixel: { row, column }, view: revealed(loupe.view, { row, column }, image.width, image.height) });
    } else if (event.key === "+" || event.key === "=") loupe.set({ view: zoomed(loupe.view, 1.5) });
    else if (event.key === "-") loupe.set({ view: zoomed(loupe.view, 1 / 1.5) });
    else if (event.key === "0") loupe.set({ view: wholeImage });
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => loupe.set({ pixel: null }));
}
