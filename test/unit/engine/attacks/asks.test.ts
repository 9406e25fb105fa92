import { expect, it } from "vitest";
import { asks } from "../../../../src/engine/define/index.ts";
import { attacks, bind } from "../../../../src/engine/registry.ts";

const asked = (kind: string, params: Record<string, unknown> = {}): string => {
  const { entry, params: complete } = bind("attack", { kind, ...params });
  return asks(entry, complete);
};

it("is gradients for all that are built in but those that ask for scores or predictions alone", () => {
  const without = attacks.map(({ id }) => id).filter((id) => asked(id) !== "gradients");
  expect(without.sort()).toEqual(["blackBox", "nPixel", "sparseRs"]);
  expect([asked("blackBox"), asked("nPixel")]).toEqual(["labels", "scores"]);
});

it("is scores for a patch whose file is given, as nothing is trained, and gradients for one that is made here", () => {
  expect(asked("adversarialPatch", { patch: "sticker.json" })).toBe("scores");
  expect(asked("adversarialPatch", { mode: "whitebox" })).toBe("gradients");
});
