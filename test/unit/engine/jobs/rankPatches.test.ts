import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writePng } from "../../../../src/engine/io/png.ts";
import { rankPatches } from "../../../../src/engine/jobs/rankPatches.ts";

let folder = "";
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-rank-"));
  await writePng(path.join(folder, "large.png"), new Uint8Array(200 * 200).fill(9), 200, 200, 1);
});
afterEach(() => rmSync(folder, { recursive: true }));
const rank = (patch: number, signal = new AbortController().signal) => {
  const asked = { image: path.join(folder, "large.png"), patch, measure: "entropy", order: "asc", reference: "mostSalient" } as const;
  return rankPatches({ ...asked, directory: path.join(folder, "run") }, signal);
};

it("more slices than anybody looks at are refused before anything is written", async () => {
  await expect(rank(1)).rejects.toMatchObject({
    code: "PARAMETER_INVALID",
    message: expect.stringMatching(/200×200 into 40.?000 slices; at most 10.?000 are ranked/),
  });
  expect(existsSync(path.join(folder, "run"))).toBe(false);
});

it("slices are written until it is cancelled", async () => {
  await expect(rank(4, AbortSignal.timeout(100))).rejects.toMatchObject({ code: "CANCELLED" });
  expect(readdirSync(path.join(folder, "run"), { recursive: true }).length).toBeLessThan(2500);
});
