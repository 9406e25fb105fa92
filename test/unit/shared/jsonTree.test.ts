import { describe, expect, it } from "vitest";
import { parseExperiment as loaded } from "../../../src/engine/experiment/load.ts";
import { bareFractions } from "../../../src/shared/fileRules/syntax.ts";
import { parseExperiment } from "../../../src/shared/fileRules/tree.ts";
import { deepestJson, isTooDeep, jsonTree } from "../../../src/shared/jsonTree.ts";

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("a JSON text that nests deeply", () => {
  const deep = [nested(100_000), '{"a":'.repeat(1_000_000), `{"attacks":[${nested(3000)}]}`];

  it("is refused before anything walks it", async () => {
    for (const text of deep) {
      expect([isTooDeep(text), jsonTree(text), parseExperiment(text), bareFractions(text)]).toEqual([true, undefined, undefined, []]);
      await expect(loaded(text, "e.bulwark.jsonc", ".")).rejects.toMatchObject({
        code: "EXPERIMENT_INVALID",
        message: "e.bulwark.jsonc has more than 200 nested lists and objects.",
      });
    }
  });

  it("is told from one with brackets in texts and comments", () => {
    expect(isTooDeep(nested(deepestJson))).toBe(false);
    expect(isTooDeep(nested(deepestJson + 1))).toBe(true);
    expect(jsonTree(`{"name": "${"[".repeat(1000)}" /* ${"{".repeat(1000)} */}`)?.type).toBe("object");
    expect(isTooDeep(`[${"[],".repeat(1000)}[]]`)).toBe(false);
  });
});
