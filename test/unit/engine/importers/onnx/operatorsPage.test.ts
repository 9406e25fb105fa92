import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lowerRules } from "../../../../../src/engine/importers/onnx/lower/index.ts";
import { knownOperators } from "../../../../../src/engine/importers/onnx/operators.ts";

const page = readFileSync("docs/reference/onnx-operators.md", "utf8").replaceAll("\\*", "*").replace(/\s+/g, " ");
const listed = (pattern: RegExp): string[] => (pattern.exec(page)?.[1] ?? "").split(/, | and /);

describe("docs/reference/onnx-operators.md", () => {
  const passing = listed(/All tests pass for \d+ operators: (.*?)\. \(\*/);
  const others = [...page.matchAll(/\| ([A-Z]\w+) \| \d+ \| \d+ \|/g)].map((found) => found[1] as string);
  const untested = listed(/Without tests in version [\d.]+ are (.*?);/);

  it("names every operator that is known, each once, and no other", () => {
    const named = [...passing.map((name) => name.replace("*", "")), ...others, ...untested];
    expect(named.sort()).toEqual([...knownOperators].sort());
    expect(page).toContain(`All tests pass for ${passing.length} operators`);
  });

  it("marks with a star what has no layer, and nothing that has one", () => {
    const starred = passing.flatMap((name) => (name.endsWith("*") ? [name.slice(0, -1)] : []));
    expect(starred.filter((name) => lowerRules.has(name))).toEqual([]);
    expect(starred.length).toBeGreaterThan(10);
  });
});
