import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePng } from "../../src/engine/io/png.ts";
import { bulwark, newWorkspace, type Workspace } from "./support.ts";

interface Ranked {
  readonly Z: number;
  readonly perm: number[];
  readonly scores: (number | string)[];
  readonly reference: number | null;
}
let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  // The 4×4 picture of the hand-worked example: slices [0,0,0,0], [10,20,30,40], [5,5,5,9], [7,7,7,7].
  const bytes = [0, 0, 10, 20, 0, 0, 30, 40, 5, 5, 7, 7, 5, 9, 7, 7];
  await writePng(workspace.file("example.png"), Uint8Array.from(bytes), 4, 4, 1);
});
afterAll(() => workspace.remove());

async function rank(...words: string[]): Promise<Ranked> {
  const done = await bulwark(workspace, "rank", "--image", "example.png", "--patch", "2", "--json", ...words);
  expect([done.code, done.stderr]).toEqual([0, ""]);
  return JSON.parse(done.stdout) as Ranked;
}

describe("ranking the slices of a picture", () => {
  it("by entropy, both ways", async () => {
    const up = await rank("--measure", "entropy");
    const down = await rank("--measure", "entropy", "--order", "desc");
    expect([up.Z, up.reference, up.perm, down.perm]).toEqual([4, null, [0, 3, 2, 1], [1, 2, 0, 3]]);
    const scores = [0, 2, 0.811278, 0];
    up.scores.forEach((score, i) => {
      expect(score).toBeCloseTo(scores[i] as number, 6);
    });
  });

  it.each([
    ["jointEntropy", [], [2, 2, 2, 2], [0, 1, 2, 3]],
    ["mutualInformation", [], [0, 2, 0.811278, 0], [0, 3, 2, 1]],
    ["klDivergence", [], [7.983923, 0, 7.341955, 7.983923], [1, 2, 0, 3]],
    ["ssim", [], [0.003284, 1, 0.217923, 0.167058], [0, 3, 2, 1]],
    ["psnr", [], [19.380191, Number.POSITIVE_INFINITY, 21.512677, 21.60834], [0, 2, 3, 1]],
    ["mse", [], [750, 0, 459, 449], [1, 3, 2, 0]],
    ["maxNorm", [], [40, 40, 40, 40], [0, 1, 2, 3]],
    ["maxNorm", ["--set", "mode=chebyshev"], [40, 0, 31, 33], [1, 2, 3, 0]],
  ] as const)("by %s %j to the most salient slice", async (measure, words, scores, perm) => {
    const ranked = await rank("--measure", measure, ...words);
    expect(ranked.reference).toBe(1); // the slice of highest entropy
    expect(ranked.perm).toEqual(perm);
    ranked.scores.forEach((score, i) => {
      if (scores[i] === Number.POSITIVE_INFINITY) expect(score).toBe("Infinity");
      else expect(score).toBeCloseTo(scores[i] as number, 5);
    });
  });

  it("cuts slices that overlap", async () => {
    const { Z, perm, scores } = await rank("--measure", "entropy", "--stride", "1");
    // row by row: {0,0,0,0} {0,10,0,30} {10,20,30,40} {0,0,5,5} {0,30,5,7} {30,40,7,7} {5,5,5,9} {5,7,9,7} {7,7,7,7}
    [0, 1.5, 2, 1, 2, 1.5, 0.811278, 1.5, 0].forEach((score, i) => {
      expect(scores[i]).toBeCloseTo(score, 6);
    });
    expect([Z, perm]).toEqual([9, [0, 8, 6, 3, 1, 5, 7, 2, 4]]);
    const refused = await bulwark(workspace, "rank", "--image", "example.png", "--patch", "2", "--stride", "3");
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining("leaves pixels between patches")]);
  });

  it("says where an order means little", async () => {
    const told = async (measure: string): Promise<string> =>
      (await bulwark(workspace, "rank", "--image", "example.png", "--patch", "2", "--measure", measure)).stdout;
    expect(await told("maxNorm")).toContain("share their score"); // all slices but the reference are darker than it: four times 40
    expect(await told("mse")).not.toContain("share their score");
  });

  it("to another slice", async () => {
    expect((await rank("--measure", "mse", "--reference", "minEntropy")).reference).toBe(0);
    expect((await rank("--measure", "mse", "--reference", "3")).scores[3]).toBe(0);
  });
});
