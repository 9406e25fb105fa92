import { cividis, diverging, type Rgb } from "../../src/shared/colour.ts";
import { epsilon, number, plural, probability } from "../../src/shared/format.ts";
import type { InspectorState } from "../../src/shared/panels.ts";
import type { TracePoint } from "../../src/shared/protocol.ts";
import { token } from "../lib/theme.ts";
import { after8Bit, iterationText, labelLine, radiusText, type Shown, subtitle, traceOf, verdict } from "./model.ts";

const side = 320;
const gap = 16;
const width = 3 * side + 4 * gap;
const spark = { height: 70, top: 26 };
const attentionNames = ["Attention, clean", "Attention, adversarial"] as const;

/** What is on show, all of it of one iteration. */
export interface PanelPictures {
  /** Clean, adversarial and difference. */
  readonly pictures: readonly HTMLCanvasElement[];
  /** End of the difference's colour scale, in units of [0,1]. */
  readonly differenceEnd: number;
  /** Left out where the maps on show are still of another iteration. */
  readonly attention: readonly HTMLCanvasElement[];
}

/** The panel as one picture to paste into a paper or a message: what it shows, with scales and legends, without its buttons. */
export function panelImage(state: InspectorState, shown: Shown, { pictures, differenceEnd, attention }: PanelPictures): string | null {
  const trace = traceOf(state);
  const rows = attention.length > 0 ? 2 : 1;
  const chart = trace.length > 1 ? spark.top + spark.height + 34 : 0;
  const height = 170 + rows * (side + 66) + chart;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  if (!context) return null;
  const font = token("font-family", "sans-serif");
  context.fillStyle = token("editor-background", "#fff");
  context.fillRect(0, 0, width, height);
  const text = (words: string, x: number, y: number, style = "13px"): void => {
    context.fillStyle = token("foreground", "#000");
    context.font = `${style} ${font}`;
    context.fillText(words, x, y, width - x - gap);
  };
  text(state.title, gap, 28, "bold 18px");
  text(subtitle(state), gap, 50);
  const draw = (row: number, canvases: readonly HTMLCanvasElement[], captions: readonly string[]): void => {
    for (const [i, picture] of canvases.entries()) {
      const x = gap + i * (side + gap);
      const y = 66 + row * (side + 66);
      text(captions[i] ?? "", x, y + 12);
      context.drawImage(picture, x, y + 20, side, (side * picture.height) / Math.max(1, picture.width));
    }
  };
  const scale = (row: number, column: number, colour: (t: number) => Rgb, ends: readonly [string, string, string]): void => {
    const [x, y] = [gap + column * (side + gap), 66 + row * (side + 66) + 20 + side + 6];
    for (let i = 0; i < side; i++) {
      context.fillStyle = `rgb(${colour(i / (side - 1)).join()})`;
      context.fillRect(x + i, y, 1, 8);
    }
    for (const [i, words] of ends.entries()) text(words, x + (i * side) / 2 - (i * context.measureText(words).width) / 2, y + 22, "11px");
  };
  draw(0, pictures, ["Clean", shown.iteration === null ? "Adversarial" : iterationText(shown.iteration), "Difference"]);
  if (pictures.length > 2) scale(0, 2, (t) => diverging(2 * t - 1), [number(-differenceEnd), "0", `+${number(differenceEnd)}`]);
  if (rows === 2) {
    draw(1, attention, attentionNames);
    scale(1, 0, cividis, ["0", "0.5", "1 (maximum)"]);
  }
  if (chart > 0) drawTrace({ context, text, top: 76 + rows * (side + 66) }, trace, shown.iteration, state);
  const bottom = height - 62;
  const radius = radiusText(state);
  text(`${verdict(state, shown).text}${radius === "" ? "" : ` ${radius}.`}`, gap, bottom, "bold 14px");
  text(labelLine(state), gap, bottom + 22);
  if (shown.norms) {
    const { linf, l2, l0 } = shown.norms;
    const rounded = state.result && shown.iteration === null ? (after8Bit(state.result)?.text ?? "") : "";
    text(`L∞ ${epsilon(linf)} · L2 ${number(l2)} · ${plural(l0, "pixel")}. ${rounded}`, gap, bottom + 44);
  }
  return canvas.toDataURL("image/png");
}

interface Paper {
  readonly context: CanvasRenderingContext2D;
  readonly text: (words: string, x: number, y: number, style?: string) => void;
  readonly top: number;
}

/** Probabilities of all iterations from 0 to 1, with a line where the iteration on show is, and what they are there. */
function drawTrace({ context, text, top }: Paper, trace: readonly TracePoint[], iteration: number | null, state: InspectorState): void {
  const at = iteration === null ? trace.length - 1 : trace.findIndex((point) => point.iteration === iteration);
  const [left, right, upper] = [gap + 24, width - gap, top + spark.top];
  const xOf = (i: number): number => left + ((right - left) * i) / (trace.length - 1);
  const line = (values: readonly number[], colour: string, dash: number[]): void => {
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.setLineDash(dash);
    context.beginPath();
    for (const [i, value] of values.entries()) context.lineTo(xOf(i), upper + spark.height * (1 - value));
    context.stroke();
    context.setLineDash([]);
  };
  text("Probability by iteration", gap, top + 12);
  text("1", gap, upper + 8, "11px");
  text("0", gap, upper + spark.height, "11px");
  context.strokeStyle = token("foreground", "#000");
  context.lineWidth = 1;
  context.strokeRect(left, upper, right - left, spark.height);
  const [first, second] = [token("charts-blue", "#3794ff"), token("charts-orange", "#d18616")];
  const lines: readonly (readonly [number[], string, number[]])[] = [
    [trace.map((point) => point.trueProbability), first, []],
    [trace.map((point) => point.otherProbability), second, [6, 4]],
  ];
  for (const [values, colour, dash] of lines) line(values, colour, dash);
  context.strokeStyle = token("foreground", "#000");
  context.strokeRect(xOf(Math.max(0, at)), upper, 0, spark.height);
  const point = trace[Math.max(0, at)];
  if (!point) return;
  const names = state.result?.before.scores ?? [];
  const other = names.find(({ index }) => index === point.otherClass)?.name ?? `class ${point.otherClass}`;
  const own = (state.result?.reference ?? state.result?.label)?.name ?? state.clean?.prediction.name ?? "true class";
  const y = upper + spark.height + 18;
  const legend: readonly (readonly [string, string, number[]])[] = [
    [`${own} (${probability(point.trueProbability)})`, first, []],
    [`${other} (${probability(point.otherProbability)})`, second, [6, 4]],
  ];
  for (const [i, [words, colour, dash]] of legend.entries()) {
    const x = left + i * side;
    Object.assign(context, { strokeStyle: colour, lineWidth: 2 });
    context.setLineDash(dash);
    context.strokeRect(x, y - 4, 24, 0);
    context.setLineDash([]);
    text(words, x + 32, y);
  }
}
