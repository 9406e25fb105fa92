import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parametersPage } from "../../../src/cli/parametersPage.ts";

const page = readFileSync(path.resolve(import.meta.dirname, "../../../docs/reference/parameters.md"), "utf8");
const cells = (id: string, heading: string): string[] => {
  const section = page.slice(page.indexOf(heading));
  const line = section.split("\n").find((text) => text.startsWith(`| \`${id}\``));
  return (line ?? "")
    .split("|")
    .map((cell) => cell.trim().replaceAll(",", ""))
    .slice(2, -1);
};

describe("the page of parameter counts", () => {
  it("is that of the models as they are: `npm run generate` writes it", () => {
    expect(page.endsWith(parametersPage())).toBe(true);
  });

  // Weights of 3×3, 7×7, 1×1… kernels, added up by hand from the published tables of layers.
  it.each([
    ["vgg16", 138_357_544, 14_710_464],
    ["vgg19", 143_667_240, 20_018_880],
    ["resnet50", 25_636_712, 23_454_912],
  ])("%s grows by its kernels alone", (id, flat, kernels) => {
    const [, , , three] = cells(id, "Beside Table 2");
    expect(Number(three)).toBe(flat + 2 * kernels);
  });

  it.each([
    ["vgg16", "4.04"],
    ["vgg19", "2.97"],
    ["resnet50", "3.07"],
  ])("the paper's figure of %s implies a depth of %s", (id, depth) => {
    expect(cells(id, "Beside Table 2").at(-1)).toBe(depth);
  });

  it("a dense layer behind a flattened slice sees that slice alone", () => {
    // Slices of 112, 56 and 28 leave 3×3, 1×1 and 1×1 of the 7×7 pixels; five pools round 112 up to 4 and 56 to 2.
    const [, flat, ...three] = cells("vgg16", "# Parameters").map(Number);
    const first = (pixels: number): number => (pixels * 512 + 1) * 4096;
    const rest = 138_357_544 - first(49) + 2 * 14_710_464;
    expect(flat).toBe(138_357_544);
    expect(three.slice(0, 3)).toEqual([rest + first(16), rest + first(4), rest + first(1)]);
  });
});
