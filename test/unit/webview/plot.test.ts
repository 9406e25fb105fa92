import { expect, test } from "vitest";
import { type Axes, extent, type Plot, plotFigure, smooth } from "../../../webview/lib/plot.ts";

const axes: Axes = { title: "Loss", x: "epoch", y: "nats", format: "number", log: true, xRange: [0, 3] };
const plot: Plot = {
  x: [1, 2, 3],
  lines: [
    { label: "a", colour: 0, y: [1, 0.5, null] },
    { label: "raw", colour: 0, faint: true, y: [9, 9, 9] },
    { label: "b", colour: 1, isDashed: true, y: [null, 2, 4] },
  ],
  marks: [{ x: 2, text: "diverged", severe: true }],
};

test("a live curve as a figure has its named lines, each with its own values, and its marks", () => {
  expect(plotFigure(axes, plot)).toEqual({
    kind: "line",
    title: "Loss",
    x: { label: "epoch", format: "number", range: [0, 3] },
    y: { label: "nats", format: "number", scale: "log" },
    series: [
      {
        label: "a",
        colour: 0,
        points: [
          { x: 1, y: 1 },
          { x: 2, y: 0.5 },
        ],
      },
      {
        label: "b",
        colour: 1,
        isDashed: true,
        points: [
          { x: 2, y: 2 },
          { x: 3, y: 4 },
        ],
      },
    ],
    marks: [{ x: 2, text: "diverged" }],
  });
});

test("smoothing is the moving average without the pull of its start", () => {
  // m1 = 0.5·4, bias 0.5 → 4; m2 = 0.5·2 + 0.5·8 = 5, bias 0.75 → 20/3
  expect(smooth([4, 8], 0.5)).toEqual([4, 20 / 3]);
  expect(smooth([4, null, 8], 0.5)).toEqual([4, null, 20 / 3]);
  expect(smooth([3, 1, 2], 0)).toEqual([3, 1, 2]);
  expect(smooth([5, 5, 5], 0.9)).toEqual([5, 5, 5].map((v) => expect.closeTo(v, 12)));
});

test("the extent leaves out what is no number", () => {
  expect(extent([null, 2, Number.NaN, 4], 0)).toEqual([2, 4]);
  expect(extent([], 0.05)).toEqual([0, 1]);
});
