import { expect, test } from "vitest";
import { type Axes, bandOutline, extent, markedPoints, type Plot, smooth, ticks, toCsv } from "../../../webview/lib/plot.ts";
import { toSvg } from "../../../webview/lib/plotSvg.ts";

const axes: Axes = { title: "Loss <of> two", x: "epoch", y: "nats", format: String, log: false };
const line = { colour: 0, dash: [], marker: "circle" as const };
const plot: Plot = {
  x: [1, 2, 3],
  lines: [
    { ...line, label: 'a "b", c', y: [1, 0.5, null] },
    { ...line, label: "raw", faint: true, y: [9, 9, 9] },
    { ...line, label: "d", colour: 1, y: [null, 2, 4] },
  ],
  marks: [{ x: 2, text: "diverged", severe: true }],
};

test("CSV has a column a line, quoted names, empty cells for what is missing, and no faint lines", () => {
  expect(toCsv(axes, plot)).toBe('epoch,"a ""b"", c",d\n1,1,\n2,0.5,2\n3,,4\n');
});

test("smoothing is the moving average without the pull of its start", () => {
  // m1 = 0.5·4, bias 0.5 → 4; m2 = 0.5·2 + 0.5·8 = 5, bias 0.75 → 20/3
  expect(smooth([4, 8], 0.5)).toEqual([4, 20 / 3]);
  expect(smooth([4, null, 8], 0.5)).toEqual([4, null, 20 / 3]);
  expect(smooth([3, 1, 2], 0)).toEqual([3, 1, 2]);
  expect(smooth([5, 5, 5], 0.9)).toEqual([5, 5, 5].map((v) => expect.closeTo(v, 12)));
});

test("ticks are 1, 2 or 5 times a power of ten", () => {
  expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(3, 48, 4)).toEqual([20, 40]);
  expect(ticks(-1, 1, 2)).toEqual([-1, 0, 1]);
});

test("the extent leaves out what is no number", () => {
  expect(extent([null, 2, Number.NaN, 4], 0)).toEqual([2, 4]);
  expect(extent([], 0.05)).toEqual([0, 1]);
});

test("many points get about twelve markers, the last one always", () => {
  const marked = markedPoints(Array.from({ length: 1000 }, (_, i) => i));
  expect(marked.length).toBeGreaterThan(10);
  expect(marked.length).toBeLessThan(15);
  expect(marked.at(-1)).toBe(999);
  expect(markedPoints([1, null, 2])).toEqual([0, 2]);
});

test("the saved drawing escapes names, draws what was measured and the marks", () => {
  const svg = toSvg(axes, plot, ["#123456", "#654321"]);
  expect(svg).toContain("Loss &lt;of&gt; two");
  expect(svg).toContain("diverged");
  expect(svg).not.toContain("NaN");
  expect(svg.match(/stroke="#654321"/g)?.length).toBeGreaterThan(0);
  // The first line has two points, so one move and one line.
  expect(svg).toMatch(/<path d="M[\d. ]+L[\d. ]+" fill="none" stroke="#123456" stroke-width="2"/);
});

test("a band goes up along its high ends and back along the low ones, and is saved with the line", () => {
  const banded = { ...line, label: "a", y: [0.5, null, 0.7], band: { low: [0.4, null, 0.6], high: [0.6, null, 0.8] } };
  expect(bandOutline([1, 2, 3], banded)).toEqual([
    [1, 0.6],
    [3, 0.8],
    [3, 0.6],
    [1, 0.4],
  ]);
  expect(bandOutline([1], { ...banded, y: [0.5] })).toEqual([]);
  expect(toCsv(axes, { x: [1, 2, 3], lines: [banded], marks: [] })).toBe(
    'epoch,a,"a, low","a, high"\n1,0.5,0.4,0.6\n2,,,\n3,0.7,0.6,0.8\n',
  );
  expect(toSvg(axes, { x: [1, 2, 3], lines: [banded], marks: [] }, ["#123456"])).toMatch(
    /<polygon points="[^"]+" fill="#123456" fill-opacity/,
  );
});
