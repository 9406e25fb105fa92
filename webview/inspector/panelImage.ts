import { epsilon, number, plural } from "../../src/shared/format.ts";
import type { InspectorState } from "../../src/shared/panels.ts";
import { token } from "../lib/theme.ts";
import { after8Bit, type Shown, subtitle, verdict } from "./model.ts";

const side = 320;
const gap = 16;
const attentionNames = ["Attention, clean", "Attention, adversarial"] as const;

/** The panel as one picture to paste into a paper or a message: what it shows, without its buttons. */
export function panelImage(
  state: InspectorState,
  shown: Shown,
  pictures: readonly HTMLCanvasElement[],
  attention: readonly HTMLCanvasElement[],
): string | null {
  const rows = attention.length > 0 ? 2 : 1;
  const canvas = Object.assign(document.createElement("canvas"), { width: 3 * side + 4 * gap, height: 120 + rows * (side + 40) });
  const context = canvas.getContext("2d");
  if (!context) return null;
  const font = token("font-family", "sans-serif");
  context.fillStyle = token("editor-background", "#fff");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = token("foreground", "#000");
  const text = (words: string, x: number, y: number, style = "13px"): void => {
    context.font = `${style} ${font}`;
    context.fillText(words, x, y, canvas.width - x - gap);
  };
  text(state.title, gap, 28, "bold 18px");
  text(subtitle(state), gap, 50);
  const draw = (row: number, canvases: readonly HTMLCanvasElement[], captions: readonly string[]): void => {
    for (const [i, picture] of canvases.entries()) {
      const x = gap + i * (side + gap);
      const y = 66 + row * (side + 40);
      text(captions[i] ?? "", x, y + 12);
      context.drawImage(picture, x, y + 20, side, (side * picture.height) / Math.max(1, picture.width));
    }
  };
  draw(0, pictures, ["Clean", shown.iteration === null ? "Adversarial" : `Iteration ${shown.iteration}`, "Difference"]);
  if (rows === 2) draw(1, attention, attentionNames);
  const bottom = canvas.height - 40;
  text(verdict(state, shown).text, gap, bottom, "bold 14px");
  if (shown.norms) {
    const { linf, l2, l0 } = shown.norms;
    const rounded = state.result && shown.iteration === null ? (after8Bit(state.result)?.text ?? "") : "";
    text(`L∞ ${epsilon(linf)} · L2 ${number(l2)} · ${plural(l0, "pixel")}. ${rounded}`, gap, bottom + 22);
  }
  return canvas.toDataURL("image/png");
}
