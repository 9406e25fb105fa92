import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { armRules, attackRules, curveRules, detectorRules, modelRules, pairRules, runRules } from "../../../src/engine/rules/index.ts";
import { fileRules } from "../../../src/shared/fileRules/index.ts";
import { ruleInfo, rules } from "../../../src/shared/rules.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => /^(src|webview|docs|media|samples|scripts)\/.*\.(ts|md|html|json|jsonc|mjs)$|^[A-Z]+\.md$/.test(file))
  .filter((file) => existsSync(path.join(root, file)));

describe("the catalogue of rules", () => {
  it("is ordered, and no id or title stands in it twice", () => {
    const ids = rules.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(new Set(rules.map(({ title }) => title)).size).toBe(rules.length);
  });

  it("has every rule that code, guides and remedies name", () => {
    const named = tracked.flatMap((file) =>
      [...readFileSync(path.join(root, file), "utf8").matchAll(/\bRB\d{3}\b/g)].map(([id]) => ({ file, id })),
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ id }) => !ruleInfo(id))).toEqual([]);
  });

  it.each([
    ["model", modelRules],
    ["attack", attackRules],
    ["pair", [...pairRules, ...curveRules]],
    ["arm", [...armRules, ...detectorRules]],
    ["run", runRules],
    ["file", fileRules],
  ] as const)("has the rules about a %s in the list of their kind", (when, list) => {
    const listed = list.map(({ id }) => id).sort();
    expect(rules.filter((rule) => rule.when === when).map(({ id }) => id)).toEqual(listed);
  });
});
