import { describe, expect, it } from "vitest";
import type { Piece } from "../../../../src/engine/experiment/piece.ts";
import { pieceId, planHashOf, recordsOf } from "../../../../src/engine/experiment/runPieces.ts";
import { overlapping, shardsOf } from "../../../../src/engine/experiment/shards.ts";

const piece = (key: string, more: Partial<Piece> = {}): Piece => ({
  key,
  stage: "clean",
  phase: key,
  needs: [],
  cost: 1,
  memory: 1,
  device: "evaluate",
  run: async () => undefined,
  ...more,
});

describe("the list of pieces", () => {
  it("names needs by their places, always before", () => {
    const records = recordsOf([
      piece("a"),
      piece("b", { needs: ["a"] }),
      piece("c", { needs: ["b", "a"], network: "n", images: [0, 100] }),
    ]);
    expect(records.map(({ needs }) => needs)).toEqual([[], [0], [1, 0]]);
    expect(records[2]).toMatchObject({ key: "c", network: "n", images: [0, 100] });
    expect(records[0]).not.toHaveProperty("network");
  });

  it("is refused with a need that comes later, or a key that comes twice", () => {
    expect(() => recordsOf([piece("a", { needs: ["b"] }), piece("b")])).toThrow("a needs b, which is not before it");
    expect(() => recordsOf([piece("a"), piece("a")])).toThrow("a is listed twice");
  });

  it("is another one by what it does, not by what that is thought to cost", () => {
    const hash = (one: Piece) => planHashOf(recordsOf([one]));
    expect(hash(piece("a", { cost: 5, memory: 7 }))).toBe(hash(piece("a")));
    expect(hash(piece("a", { images: [0, 10] }))).not.toBe(hash(piece("a")));
    expect(hash(piece("b"))).not.toBe(hash(piece("a")));
  });

  it("has a folder for every piece that says its stage", () => {
    // SHA-256 of "abc" begins with ba7816bf8f01cfea.
    expect(pieceId(piece("abc"))).toBe("clean-ba7816bf8f01cfea");
  });
});

describe("shards", () => {
  it("are whole batches of about a minute, whoever does them", () => {
    // 28·28·1·1e-7 s = 78.4 µs a pass; 100 images · 123 passes = 0.96 s a batch: 62 batches of 100 images.
    const shards = shardsOf(10_000, [28, 28, 1], 123);
    expect(shards).toEqual([
      [0, 6200],
      [6200, 10_000],
    ]);
    // 299·299·3·1e-7 s = 26.8 ms a pass; 3 images · 123 passes = 9.9 s a batch: 6 batches of 3 images.
    expect(shardsOf(30, [299, 299, 3], 123)).toEqual([
      [0, 18],
      [18, 30],
    ]);
    expect(shardsOf(1, [3000, 3000, 3], 1e6)).toEqual([[0, 1]]);
  });

  it("that hold images of a range are found", () => {
    const shards = [
      [0, 10],
      [10, 20],
      [20, 25],
    ] as const;
    expect(overlapping(shards, [9, 11])).toEqual(shards.slice(0, 2));
    expect(overlapping(shards, [10, 20])).toEqual([shards[1]]);
  });
});
