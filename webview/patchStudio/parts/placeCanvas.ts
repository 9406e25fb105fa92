import type { PatchPlacement } from "../../../src/shared/patch.ts";
import { h } from "../../lib/dom.ts";
import type { Pixels } from "../../lib/pixels.ts";
import { keyed, settled } from "../model.ts";

type Size = readonly [height: number, width: number, channels: number];
export interface Scene {
  /** The clean picture, as large as it comes. */
  readonly image: Pixels | null;
  readonly patch: Pixels | null;
  /** The model's own picture with the patch; only where it is of this placement. */
  readonly pasted: Pixels | null;
  readonly size: Size;
  /** Of the patch at scale 1, in pixels of the image. */
  readonly patchSize: readonly [height: number, width: number];
  readonly placement: PatchPlacement;
}
export interface PlaceCanvas {
  readonly element: HTMLCanvasElement;
  draw(scene: Scene | null, spoken: string): void;
}

const smallImage = 128;

/** The picture with the patch on it, to be moved with the pointer or the keys. */
export function placeCanvas(moved: (placement: PatchPlacement) => void): PlaceCanvas {
  const element = h("canvas", {
    class: "place-canvas",
    attributes: { tabindex: 0, role: "application", "aria-roledescription": "patch on a picture" },
  });
  let scene: Scene | null = null;
  const paint = (): void => {
    if (scene) drawScene(element, scene);
  };
  new ResizeObserver(paint).observe(element);
  watchPointer(element, () => scene, moved);
  element.addEventListener("keydown", (event) => {
    if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyed(scene.placement, event.key, event.shiftKey, scene);
    if (!next) return;
    event.preventDefault();
    moved(next);
  });
  return {
    element,
    draw(next, spoken) {
      scene = next;
      element.setAttribute("aria-label", spoken);
      if (next) element.style.aspectRatio = `${next.size[1]} / ${next.size[0]}`;
      paint();
    },
  };
}

function watchPointer(canvas: HTMLCanvasElement, scene: () => Scene | null, moved: (placement: PatchPlacement) => void): void {
  let grip: readonly [row: number, column: number] | null = null;
  const at = (event: MouseEvent, { size }: Scene): readonly [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientY - box.top) / box.height) * size[0], ((event.clientX - box.left) / box.width) * size[1]];
  };
  canvas.addEventListener("pointerdown", (event) => {
    const now = scene();
    if (!now || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus();
    const [row, column] = at(event, now);
    const { placement, patchSize } = now;
    const reach = (Math.hypot(...patchSize) / 2) * placement.scale;
    const inside = Math.hypot(row - placement.row, column - placement.column) <= reach;
    // Taken hold of where it is touched; elsewhere it comes to the pointer.
    grip = inside ? [row - placement.row, column - placement.column] : [0, 0];
    if (!inside) moved(settled({ ...placement, row, column }, now));
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = scene();
    if (!now || !grip || !(event.buttons & 1)) return;
    const [row, column] = at(event, now);
    moved(settled({ ...now.placement, row: row - grip[0], column: column - grip[1] }, now));
  });
  canvas.addEventListener("pointerup", () => {
    grip = null;
  });
  canvas.addEventListener("pointercancel", () => {
    grip = null;
  });
}

function drawScene(canvas: HTMLCanvasElement, scene: Scene): void {
  const width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  const height = Math.max(1, Math.round((width * scene.size[0]) / scene.size[1]));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!context) return;
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = Math.max(scene.size[0], scene.size[1]) >= smallImage;
  const [scaleY, scaleX] = [height / scene.size[0], width / scene.size[1]];
  if (scene.pasted) context.drawImage(scene.pasted.source, 0, 0, width, height);
  else if (scene.image) context.drawImage(atModelSize(scene.image, scene.size), 0, 0, width, height);
  const { row, column, rotation, scale } = scene.placement;
  const [rows, columns] = scene.patchSize;
  context.save();
  context.translate(column * scaleX, row * scaleY);
  context.rotate((-rotation * Math.PI) / 180); // counter-clockwise as one sees it
  context.scale(scale * scaleX, scale * scaleY);
  if (!scene.pasted && scene.patch) context.drawImage(scene.patch.source, -columns / 2, -rows / 2, columns, rows);
  context.restore();
  outline(context, scene, scaleX, scaleY);
}

/** A thin frame around the patch, black and white so that it shows on every picture. */
function outline(context: CanvasRenderingContext2D, { placement, patchSize }: Scene, scaleX: number, scaleY: number): void {
  const { row, column, rotation, scale } = placement;
  const [halfHeight, halfWidth] = [(patchSize[0] * scale * scaleY) / 2, (patchSize[1] * scale * scaleX) / 2];
  context.save();
  context.translate(column * scaleX, row * scaleY);
  context.rotate((-rotation * Math.PI) / 180);
  for (const [colour, line] of [["#000", 3] as const, ["#fff", 1] as const]) {
    context.strokeStyle = colour;
    context.lineWidth = line * devicePixelRatio;
    context.strokeRect(-halfWidth, -halfHeight, 2 * halfWidth, 2 * halfHeight);
  }
  context.restore();
}

let cached: { readonly key: Pixels; readonly canvas: HTMLCanvasElement; readonly size: Size } | null = null;
/** The picture as coarse as the model sees it, its middle cut out where the sides differ. */
function atModelSize(image: Pixels, size: Size): HTMLCanvasElement {
  if (cached && cached.key === image && cached.size[0] === size[0] && cached.size[1] === size[1]) return cached.canvas;
  const canvas = Object.assign(document.createElement("canvas"), { width: size[1], height: size[0] });
  const scale = Math.max(size[1] / image.width, size[0] / image.height);
  const [width, height] = [image.width * scale, image.height * scale];
  const context = canvas.getContext("2d");
  if (context) context.imageSmoothingQuality = "high";
  context?.drawImage(image.source, (size[1] - width) / 2, (size[0] - height) / 2, width, height);
  cached = { key: image, canvas, size };
  return canvas;
}
