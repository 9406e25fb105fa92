import { number } from "../../../src/shared/format.ts";
import type { TracePoint } from "../../../src/shared/protocol.ts";
import { h } from "../../lib/dom.ts";

const width = 600;
const height = 48;
const svg = (name: string, attributes: Readonly<Record<string, string | number>>): SVGElement => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
};

/** Points of a polyline for probabilities 0…1 from left to right. */
export const sparkPoints = (values: readonly number[]): string =>
  values
    .map((v, i) => `${((i / Math.max(1, values.length - 1)) * width).toFixed(1)},${(height - 2 - v * (height - 4)).toFixed(1)}`)
    .join(" ");

/** Probability of the true class (solid) and of the strongest other (dashed) per iteration. */
export function sparkline(pick: (at: number) => void): { element: HTMLElement; update(trace: readonly TracePoint[], at: number): void } {
  const truth = svg("polyline", { class: "spark true", fill: "none", "vector-effect": "non-scaling-stroke" });
  const other = svg("polyline", { class: "spark other", fill: "none", "vector-effect": "non-scaling-stroke" });
  const cursor = svg("line", { class: "spark-cursor", y1: 0, y2: height, "vector-effect": "non-scaling-stroke" });
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
  picture.append(truth, other, cursor);
  const area = h("div", { class: "sparkline" });
  area.append(picture);
  const scale = h("div", { class: "spark-scale", attributes: { "aria-hidden": "true" } }, h("span", {}, "1"), h("span", {}, "0"));
  const element = h("div", {}, h("p", { class: "muted small" }, "Probability by iteration"), h("div", { class: "spark-row" }, scale, area));
  let count = 0;
  area.addEventListener("click", (event) => {
    const box = area.getBoundingClientRect();
    pick(Math.round(((event.clientX - box.left) / box.width) * (count - 1)));
  });
  return {
    element,
    update(trace, at) {
      count = trace.length;
      truth.setAttribute("points", sparkPoints(trace.map((p) => p.trueProbability)));
      other.setAttribute("points", sparkPoints(trace.map((p) => p.otherProbability)));
      const x = (at / Math.max(1, count - 1)) * width;
      cursor.setAttribute("x1", String(x));
      cursor.setAttribute("x2", String(x));
      const [first, last] = [trace[0], trace[count - 1]];
      const text = `Probability of the true class from ${number(first?.trueProbability)} to ${number(last?.trueProbability)}, of another class from ${number(first?.otherProbability)} to ${number(last?.otherProbability)}, in ${count} points`;
      picture.setAttribute("aria-label", text);
    },
  };
}
