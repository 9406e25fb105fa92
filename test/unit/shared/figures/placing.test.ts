import { describe, expect, it } from "vitest";
import { placedNumbers, ranges } from "../../../../src/shared/figures/placing.ts";
import { arena } from "../../../../webview/fixtures/arena.ts";

const bounds = { left: 0, right: 300, top: 0, bottom: 230 };
const overlap = (a: typeof bounds, b: typeof bounds): boolean =>
  a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;

describe("numbers beside points", () => {
  it("writes runs of three and more as ranges", () => {
    expect(ranges([2, 5, 6, 7])).toBe("2, 5–7");
    expect(ranges([1, 2, 9])).toBe("1, 2, 9");
  });

  it("gives points that lie on each other one text, right beside them", () => {
    const at = { x: 100, y: 100 };
    const [only, ...others] = placedNumbers(
      [1, 2, 3].map((number) => ({ ...at, number })),
      [],
      bounds,
    );
    expect([only?.text, only?.leader, others]).toEqual(["1–3", null, []]);
    expect(only?.left).toBeGreaterThan(104);
  });

  it.each([300, 500, 700])("keeps the numbers of 22 arms apart from each other and inside, %i pixels wide", (width) => {
    const place = ({ x, y }: { readonly x: number; readonly y: number }) => ({ x: width * x, y: 230 * (1 - y) });
    const points = arena.series.map(({ points: [first] }, i) => ({ ...place(first ?? { x: 0, y: 0 }), number: i + 1 }));
    const others = arena.series.map(({ points: [, second] }) => place(second ?? { x: 0, y: 0 }));
    const inside = { ...bounds, right: width };
    const placed = placedNumbers(points, others, inside);
    for (const [i, one] of placed.entries()) {
      expect([one.left >= 0, one.right <= width, one.top >= 0, one.bottom <= 230]).toEqual([true, true, true, true]);
      for (const other of placed.slice(i + 1)) expect([one.text, other.text, overlap(one, other)]).toEqual([one.text, other.text, false]);
      for (const { x, y } of [...points, ...others]) expect(x > one.left && x < one.right && y > one.top && y < one.bottom).toBe(false);
    }
  });
});
