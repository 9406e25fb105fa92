import path from "node:path";
import { Type } from "@sinclair/typebox";
import { afterAll, describe, expect, it } from "vitest";
import { catalog } from "../../../src/engine/catalog.ts";
import { defineAttack, documented, entryOf, file, labelOf, num } from "../../../src/engine/define/index.ts";
import { bind, register } from "../../../src/engine/registry.ts";

const wrapper = defineAttack({
  id: "testWrapper",
  title: "Wrapper",
  paper: "",
  access: "gradients",
  iterative: true,
  params: Type.Object({
    base: entryOf("attack", { kind: "pgd", steps: 7 }, "Base attack."),
    weight: num(1, "Weight."),
    mask: file("A mask."),
  }),
  label: ({ weight }) => `wrapper ${weight}`,
  ball: () => ({ norm: "linf", radius: 1 }),
  run: async (_model, { images }) => images.clone(),
});
const unregister = register("attack", wrapper);
afterAll(unregister);

describe("binding a choice", () => {
  it("fills in defaults, also of the choice inside", () => {
    const bound = bind("attack", { kind: "testWrapper" });
    expect(bound.params["weight"]).toBe(1);
    expect(bound.params["base"]).toMatchObject({ id: "pgd", params: { steps: 7, randomStart: true } });
    expect(labelOf(bound)).toBe("wrapper 1");
  });

  it("takes a choice inside by its id alone, and writes all as JSON that binds again", () => {
    const bound = bind("attack", { kind: "testWrapper", base: "fgsm", weight: 2 });
    const { id, params } = documented(bound);
    expect(JSON.parse(JSON.stringify(params))).toMatchObject({ base: { kind: "fgsm" }, weight: 2, mask: "" });
    expect(documented(bind("attack", { kind: id, ...params }))).toEqual({ id, params });
  });

  it("makes files absolute against the experiment's folder", () => {
    const bound = bind("attack", { kind: "testWrapper", mask: "mask.png" }, { directory: "/data" });
    expect(bound.params["mask"]).toBe(path.resolve("/data", "mask.png"));
  });

  it.each([
    [{ kind: "testWrapper", base: { kind: "pgd", steps: -1 } }, "testWrapper.base: pgd.steps is -1 but must be between 1 and 10000."],
    [{ kind: "testWrapper", base: { kind: "pgd", step: 1 } }, 'testWrapper.base: pgd has no parameter "step"'],
    [{ kind: "testWrapper", base: "nothing" }, 'testWrapper.base: There is no attack "nothing"'],
    [
      { kind: "testWrapper", base: { kind: "testWrapper", base: { kind: "pgd", eps: "big" } } },
      'testWrapper.base: testWrapper.base: pgd.eps is "big"',
    ],
    [{ kind: "testWrapper", base: 3 }, "testWrapper.base names no attack"],
    [{ kind: "testWrapper", sigma: 3 }, 'testWrapper has no parameter "sigma"'],
  ])("refuses %j", (chosen, message) => {
    expect(() => bind("attack", chosen)).toThrow(message);
  });
});

describe("a number that stands for something else", () => {
  const numbers = catalog().flatMap(({ id, params }) =>
    Object.entries(params.properties).flatMap(([name, { anyOf, ...schema }]) => {
      const number = anyOf?.find(({ type }) => type === "integer") ?? schema;
      return [{ what: `${id}.${name}`, description: schema.description ?? "", ...number }];
    }),
  );

  it("has words for forms wherever its description explains it", () => {
    const explained = numbers.filter(({ description }) => /[;:,] (−1|0)( for (any|no|all)\b| takes| is| =|:)/.test(description));
    expect(explained.length).toBeGreaterThan(20);
    expect(explained.filter(({ standIn }) => !standIn).map(({ what }) => what)).toEqual([]);
  });

  it("is the least value, and what a form offers in its place lies above it", () => {
    for (const { what, standIn, minimum = Number.NaN, maximum = Number.POSITIVE_INFINITY } of numbers)
      if (standIn) expect([what, standIn.first > minimum, standIn.first <= maximum]).toEqual([what, true, true]);
  });
});
