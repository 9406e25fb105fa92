import { describe, expect, it } from "vitest";
import { paperComparison } from "../../../../src/engine/analyses/paperComparison.ts";
import { table1 } from "../../../../src/engine/analyses/papers/paper1/printed.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { arm, facts, undefended } from "./fixtures.ts";

const lavan = (size: number) => ({ id: "lavan", params: { size } });
const patch = { id: "adversarialPatch", params: { area: 0.1 } };
const attacks = [
  // 10 images: 8 right before, 2 after; behind the defence 7 right, of the images made without it 6 stay right.
  { attack: lavan(42 / 299), key: "lavan", fate: "rrbbbbbbww", transferred: { fate: "rrrrrrbwww", undefended: "rbbbbbbbww" } },
  { attack: lavan(10 / 50), key: "lavan-2", fate: "rrrbbbbbww", transferred: { fate: "rrrrbbbwww", undefended: "rbbbbbbbww" } },
  { attack: patch, fate: "rrrrrrrbww", transferred: { fate: "rrrrrbbwww", undefended: "rbbbbbbbww" } },
];
const plain = arm({ name: "undefended", defense: undefended, attacks: [{ attack: lavan(42 / 299), key: "lavan", fate: "rbbbbbbbww" }] });
const smoothed = arm({ name: "LGS", defense: { id: "localGradientSmoothing", params: { lambda: 2.3, window: 15 } }, attacks });

describe("paper 1 beside ours", () => {
  const p = { paper: 1, model: "auto", dataset: "auto" };
  const { tables, notes } = paperComparison.present([plain, smoothed], p, facts([plain, smoothed]));
  const rows = (start: string) => tables.find(({ title }) => title.startsWith(start))?.rows.map((row) => row.slice(0, 6));

  it("has the row of each defence and the column of each size, 60 of 299 for a fifth of the image", () => {
    const close = (value: number) => expect.closeTo(value, 10);
    expect(rows("Table 1")).toEqual([
      ["none", "no attack", 0.8, 0.7561, close(0.0439), "undefended"],
      ["LGS, λ 2.3", "no attack", 0.8, 0.7105, close(0.0895), "LGS"],
      ["none", "LaVAN, 42 of 299", 0.1, 0.11, close(-0.01), "undefended"],
      ["LGS, λ 2.3", "LaVAN, 42 of 299", 0.6, close(0.709), close(-0.109), "LGS"],
      ["LGS, λ 2.3", "LaVAN, 60 of 299", 0.4, close(0.6937), close(-0.2937), "LGS"],
    ]);
    expect(rows("Table 2")).toEqual([["LGS, λ 2.3", "patch, 95 of 299", 0.5, 0.905, close(-0.405), "LGS"]]);
    expect(rows("Table 3")).toEqual([
      ["none", "LaVAN, 42 of 299", 7 / 8, 0.88, close(-0.005), "undefended"],
      ["LGS, λ 2.3", "LaVAN, 42 of 299", 6 / 8, 0.18, close(0.57), "LGS"],
    ]);
    expect(notes.at(-1)).toMatch(/no arm of this experiment has: LGS, λ 2.1; /);
  });

  it("names defences and parameters that there are", () => {
    for (const [{ defense }] of table1) {
      if (!defense) continue;
      const { params } = bind("defense", { kind: defense.id, ...defense.params });
      expect(params).toMatchObject(defense.params);
    }
    expect(table1).toHaveLength(22);
  });
});
