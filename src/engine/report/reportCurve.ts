import type { RunEvent } from "../../shared/events.ts";
import { number } from "../../shared/format.ts";

export type EpochEvent = Extract<RunEvent, { kind: "epoch" }>;
export interface Curve {
  readonly arm: string;
  readonly history: readonly EpochEvent[];
}

const size = { width: 480, height: 220, left: 56, right: 16, top: 14, bottom: 40 };

/** Training loss by epoch, a chart of its own for every arm: losses of different defences have different units. */
export function lossCurves(curves: readonly Curve[], quote: (text: string) => string): string {
  const charts = curves.filter(({ history }) => history.length > 0).map((curve) => lossCurve(curve, quote));
  return charts.length === 0 ? "" : `<div class="charts">${charts.join("")}</div>`;
}

function lossCurve({ arm, history }: Curve, quote: (text: string) => string): string {
  const epochs = Math.max(...history.map((event) => event.epoch));
  const top = Math.max(...history.map((event) => event.trainLoss), 1e-6) * 1.05;
  const { width, height, left, right, bottom } = size;
  const x = (epoch: number): number => left + ((epoch - 1) / Math.max(1, epochs - 1)) * (width - left - right);
  const y = (loss: number): number => size.top + (1 - loss / top) * (height - size.top - bottom);
  const at = (value: number): string => value.toFixed(1);
  const places = history.map((event) => `${at(x(event.epoch))},${at(y(event.trainLoss))}`);
  const dots = history.map((event) => {
    const title = `epoch ${event.epoch}: loss ${number(event.trainLoss)}`;
    return `<circle cx="${at(x(event.epoch))}" cy="${at(y(event.trainLoss))}" r="3"><title>${title}</title></circle>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const place = at(y(share * top));
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${place}" y2="${place}"/><text x="${left - 6}" y="${place}" dy="4" text-anchor="end">${number(share * top)}</text>`;
  });
  const step = Math.max(1, Math.ceil(epochs / 10));
  const marks = Array.from({ length: epochs }, (_, i) => i + 1)
    .filter((epoch) => (epoch - 1) % step === 0 || epoch === epochs)
    .map((epoch) => `<text x="${at(x(epoch))}" y="${height - bottom + 18}" text-anchor="middle">${epoch}</text>`);
  const labels = `<text x="${(left + width - right) / 2}" y="${height - 4}" text-anchor="middle">epoch</text><text transform="translate(12 ${(height - bottom + size.top) / 2}) rotate(-90)" text-anchor="middle">training loss</text>`;
  const line = `<g class="line"><polyline points="${places.join(" ")}"/>${dots.join("")}</g>`;
  const name = quote(arm);
  return `<figure><svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="Training loss of ${name} by epoch">${ticks.join("")}${marks.join("")}${labels}${line}</svg><figcaption>${name}</figcaption></figure>`;
}
