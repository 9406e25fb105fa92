import "../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { type Entry, resolveParams } from "../../src/engine/define/index.ts";
import { createRandom } from "../../src/engine/random.ts";
import { bind, type RegistryKind, registry } from "../../src/engine/registry.ts";

const kinds = Object.entries(registry) as [RegistryKind, readonly Entry[]][];

describe.each(kinds)("every %s", (kind, list) => {
  it("has an id of its own, and stands in the list by it", () => {
    const ids = list.map(({ id }) => id);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]*$/);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a.localeCompare(b, "en", { sensitivity: "base" })));
  });

  describe.each(list.map((entry) => [entry.id, entry] as const))("%s", (id, entry) => {
    it("has a title, a source, and a description of every parameter", () => {
      expect(entry.title).toMatch(/^\S.*\S$/);
      expect(entry.paper).toMatch(/^(\S.*\S)?$/); // empty where nobody published it
      for (const [name, { description }] of Object.entries(entry.params.properties))
        expect(description, name).toMatch(/^[A-Z0-9β].*[.)]$/s);
    });

    it("has defaults and quick parameters that it takes itself, and a name with them", () => {
      const required = Object.fromEntries(
        Object.entries(entry.params.properties).flatMap(([name, property]) =>
          property["default"] === undefined && entry.params.required?.includes(name) ? [[name, exampleOf(property)]] : [],
        ),
      );
      for (const params of [required, { ...required, ...entry.cheap }]) {
        const bound = bind(kind, { kind: id, ...params });
        expect(entry.label?.(bound.params) ?? entry.title).toMatch(/^\S.*\S$/);
      }
    });

    it("refuses a parameter that it does not have", () => {
      expect(() => resolveParams(entry.params, { nonsense: 1 }, id)).toThrow("nonsense");
    });
  });
});

const exampleOf = (property: Record<string, unknown>): unknown =>
  property["type"] === "string" ? "example" : property["type"] === "array" ? [] : Number(property["minimum"] ?? 1);

describe.each(registry.measure.map((measure) => [measure.id, measure] as const))("%s", (_, measure) => {
  const rng = createRandom(5);
  const slice = () => Uint8Array.from({ length: 64 }, () => rng.integer(256));
  const params = resolveParams(measure.params, measure.cheap ?? {}, measure.id);
  const reference = slice();
  const slices = [slice(), slice(), reference, new Uint8Array(64), new Uint8Array(64).fill(255)];

  it("measures every slice, the same whether or not the reference is prepared", () => {
    const prepared = measure.against?.(reference, params);
    for (const one of slices) {
      const value = measure.measure(one, measure.kind === "standalone" ? undefined : reference, params);
      expect(Number.isNaN(value)).toBe(false);
      if (prepared) expect(prepared(one)).toBeCloseTo(value, 9);
    }
  });

  it("does not change its slices", () => {
    const [a, b] = [slice(), slice()];
    const copies = [a.slice(), b.slice()];
    measure.measure(a, b, params);
    expect([a, b]).toEqual(copies);
  });
});
