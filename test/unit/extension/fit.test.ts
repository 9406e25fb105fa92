import { describe, expect, it } from "vitest";
import type { FoundData } from "../../../src/extension/data.ts";
import { misfit } from "../../../src/extension/fit.ts";

const data = (kind: string, classes: readonly string[] | null = null): FoundData => ({
  spec: kind,
  kind,
  directory: "d",
  label: kind,
  detail: "",
  classes,
});
const imageNet = { input: [224, 224, 3], classes: 3, classNames: ["tabby, tabby cat", "red_fox, Vulpes vulpes", "pug"] };

describe("data and a model", () => {
  it("fit where sizes, classes and names do", () => {
    expect(misfit(data("mnist"), { input: [28, 28, 1], classes: 10, classNames: null })).toBeNull();
    expect(misfit(data("cifar10"), { input: [null, null, 3], classes: 10, classNames: null })).toBeNull();
    expect(misfit(data("imageFolder", ["Tabby Cat", "red-fox"]), imageNet)).toBeNull();
    expect(misfit(data("imageFolder", ["n02124075", "n02119789"]), imageNet)).toBeNull();
    expect(misfit(data("pictures"), imageNet)).toBeNull();
    expect(misfit(data("imageFolder"), imageNet)).toBeNull(); // only its label file says
  });

  it("do not fit by size, by number of classes or by a name, and the reason says which", () => {
    expect(misfit(data("mnist"), imageNet)).toBe("its images are 28 × 28 × 1, the model takes 224 × 224 × 3");
    expect(misfit(data("cifar100"), { input: [32, 32, 3], classes: 10, classNames: null })).toBe("it has 100 classes, the model 10");
    expect(misfit(data("imageFolder", ["pug", "wolf"]), imageNet)).toBe("the model has no class “wolf”");
    expect(misfit(data("imageFolder", ["a", "b", "c", "d"]), imageNet)).toBe("it has 4 classes, the model 3");
    const unnamed = { ...imageNet, classes: 1000, classNames: null };
    expect(misfit(data("imageFolder", ["cat", "dog"]), unnamed)).toBe("it has 2 classes of 1000, and the model does not name its own");
    const photos = { input: [32, 32, 3], classes: 10, classNames: ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] };
    expect(misfit(data("cifar10"), photos)).toBe("the model has no class “airplane”, “automobile”, “bird”");
  });
});
