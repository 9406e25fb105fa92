import type { RunEvent } from "../../shared/events.ts";
import { figure } from "./reportText.ts";

export type EpochEvent = Extract<RunEvent, { kind: "epoch" }>;
export interface Curve {
  readonly arm: string;
  readonly history: readonly EpochEvent[];
}

const size = { width: 560, height: 240, left: 56, right: 16, top: 14, bottom: 40 };
const dashes = ["", "6 3", "2 3", "8 3 2 3"];

/** Training loss by epoch, one line for every arm, as an SVG that stands alone; dashes tell the arms apart as well as colours do. */
export function lossCurve(curves: readonly Curve[], quote: (text: string) => string): string {
  const drawn = curves.filter(({ history }) => history.length > 0);
  if (drawn.length === 0) return "";
  const epochs = Math.max(...drawn.flatMap(({ history }) => history.map((event) => event.epoch)));
  const top = Math.max(...drawn.flatMap(({ history }) => history.map((event) => event.trainLoss)), 1e-6) * 1.05;
  const { width, height, left, right, bottom } = size;
  const x = (epoch: number): number => left + ((epoch - 1) / Math.max(1, epochs - 1)) * (width - left - right);
  const y = (loss: number): number => size.top + (1 - loss / top) * (height - size.top - bottom);
  const at = (value: number): string => value.toFixed(1);
  const lines = drawn.map(({ history }, i) => {
    const places = history.map((event) => `${at(x(event.epoch))},${at(y(event.trainLoss))}`);
    const dots = history.map((event) => {
      const title = `epoch ${event.epoch}: loss ${figure(event.trainLoss)}`;
      return `<circle cx="${at(x(event.epoch))}" cy="${at(y(event.trainLoss))}" r="3"><title>${title}</title></circle>`;
    });
    return `<g class="line l${i % 4}"><polyline points="${places.join(" ")}" stroke-dasharray="${dashes[i % 4]}"/>${dots.join("")}</g>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const place = at(y(share * top));
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${place}" y2="${place}"/><text x="${left - 6}" y="${place}" dy="4" text-anchor="end">${figure(share * top)}</text>`;
  });
  const step = Math.max(1, Math.ceil(epochs / 10));
  const marks = Array.from({ length: epochs }, (_, i) => i + 1)
    .filter((epoch) => (epoch - 1) % step === 0 || epoch === epochs)
    .map((epoch) => `<text x="${at(x(epoch))}" y="${height - bottom + 18}" text-anchor="middle">${epoch}</text>`);
  const legend = drawn.map(({ arm }, i) => {
    const key = `<svg width="28" height="8" aria-hidden="true"><g class="line l${i % 4}"><line x1="0" x2="28" y1="4" y2="4" stroke-dasharray="${dashes[i % 4]}"/></g></svg>`;
    return `<li>${key} ${quote(arm)}</li>`;
  });
  const labels = `<text x="${(left + width - right) / 2}" y="${height - 4}" text-anchor="middle">epoch</text><text transform="translate(12 ${(height - bottom + size.top) / 2}) rotate(-90)" text-anchor="middle">training loss</text>`;
  return `<figure><svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="Training loss by epoch">${ticks.join("")}${marks.join("")}${labels}${lines.join("")}</svg><ul class="legend">${legend.join("")}</ul></figure>`;
}
