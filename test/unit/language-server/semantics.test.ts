import { describe, expect, it } from "vitest";
import { type Disk, fromBytes, goodStep, type Problem, problemsOf } from "../../../src/language-server/semantics.ts";
import type { Catalog, CatalogEntry, ParameterSchema } from "../../../src/shared/catalog.ts";
import { editDistance, nearest } from "../../../src/shared/nearest.ts";

const entry = (kind: CatalogEntry["kind"], id: string, properties: Record<string, ParameterSchema> = {}): CatalogEntry => ({
  kind,
  id,
  title: id,
  paper: "",
  params: { type: "object", properties },
});
const eps: ParameterSchema = { type: "number", default: 0.03, minimum: 0, maximum: 1 };
const catalog: Catalog = [
  entry("attack", "fgsm", { eps }),
  entry("attack", "pgd", {
    eps: { ...eps, maximum: 1000 },
    norm: { type: "string", enum: ["linf", "l2"], default: "linf" },
    steps: { type: "integer", default: 40 },
    stepSize: { type: "number", default: 0 },
  }),
  entry("attack", "carliniWagner", { eps: { type: "number", default: 1, maximum: 100 } }),
  entry("dataset", "mnist", { path: { type: "string" } }),
  entry("dataset", "cifar10"),
  entry("model", "lenet"),
  entry("defense", "standard"),
];
const disk: Disk = {
  exists: (file) => ["/w/models/mine/model.json", "/w/models"].includes(file),
  names: (directory) => (directory === "/w/models" ? ["mine"] : directory === "/w/models/mine" ? ["model.json", "weights.bin"] : []),
};
const problems = (text: string): Problem[] => problemsOf({ text, directory: "/w", catalog, disk });
const base = `"seed": 1, "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }`;
/** The text after the preferred fix of the only problem with that code. */
function mended(text: string, code: string): string {
  const found = problems(text).filter((problem) => problem.code === code);
  expect(found).toHaveLength(1);
  const fix = found[0]?.fixes.find(({ isPreferred }) => isPreferred);
  if (!fix) throw new Error(`${code} has no preferred fix`);
  return text.slice(0, fix.span.offset) + fix.text + text.slice(fix.span.offset + fix.span.length);
}

describe("distances between names", () => {
  it("counts insertions, deletions, substitutions and swaps", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("fgms", "fgsm")).toBe(1);
    expect(editDistance("pgd", "pgd")).toBe(0);
  });
  it("means a name only when it is close", () => {
    expect(nearest("mnst", ["mnist", "cifar10"])).toBe("mnist");
    expect(nearest("PGD", ["pgd", "fgsm"])).toBe("pgd");
    expect(nearest("imagenet", ["mnist", "cifar10"])).toBeUndefined();
  });
});

describe("experiment files", () => {
  it("has no complaint about a sound one", () => {
    expect(problems(`{ ${base}, "attacks": [{ "kind": "pgd", "eps": 0.3, "steps": 40, "stepSize": 0.01 }] }`)).toEqual([]);
  });
  it("survives text that is no JSON yet", () => {
    for (const text of ["", "[", "{", '{ "attacks": [', '{ "model": { "kind": ', "null"]) expect(() => problems(text)).not.toThrow();
  });

  it("unknown id: names the one that was meant", () => {
    const text = `{ "seed": 1, "dataset": { "kind": "mnst" }, "model": { "kind": "lenet" } }`;
    expect(problems(text).map(({ code, severity }) => [code, severity])).toEqual([["UNKNOWN_ID", "error"]]);
    expect(mended(text, "UNKNOWN_ID")).toBe(text.replace("mnst", "mnist"));
  });
  it("unknown id far from all: lists what there is", () => {
    const [problem] = problems(`{ "seed": 1, "dataset": { "kind": "imagenet" }, "model": { "kind": "lenet" } }`);
    expect(problem?.message).toContain("mnist, cifar10");
    expect(problem?.fixes).toEqual([]);
  });
  it("looks into the arms and the quick attack", () => {
    const text = `{ ${base}, "train": { "quickAttack": { "kind": "fgms" } }, "compare": [{ "name": "a", "defense": { "kind": "standart" } }] }`;
    expect(problems(text).map(({ message }) => message.split(";")[0])).toEqual([
      'There is no attack "fgms"',
      'There is no defense "standart"',
    ]);
  });

  it("unknown parameter: names the one that was meant, or lists what there is", () => {
    const text = `{ ${base}, "attacks": [{ "kind": "pgd", "epsilon": 0.3, "steps": 40 }] }`;
    expect(mended(text, "PARAMETER_INVALID")).toBe(text.replace("epsilon", "eps"));
    const [problem] = problems(`{ ${base}, "defense": { "kind": "standard", "strength": 3 } }`);
    expect(problem?.message).toBe('standard has no parameter "strength". It has: none.');
    expect(problems(`{ "seed": 1, "dataset": { "kind": "mnist", "train": 10, "test": 1 }, "model": { "kind": "lenet" } }`)).toEqual([]);
  });

  it("expectations speak of attacks and arms that are there", () => {
    const attacks = `"attacks": [{ "kind": "pgd" }, { "kind": "pgd" }], "compare": [{ "name": "plain" }]`;
    const text = (attack: string, arm: string) =>
      `{ ${base}, ${attacks}, "expect": [{ "metric": "robustness", "attack": "${attack}", "arm": "${arm}", "max": 0.5 }] }`;
    expect(problems(text("pgd-2", "plain"))).toEqual([]);
    expect(problems(text("pgd-1", "undefended"))).toEqual([]);
    expect(problems(text("pgd", "undefended")).map(({ message }) => message)).toEqual([expect.stringContaining('"pgd-1" or "pgd-2"')]);
    expect(mended(text("pgd-3", "plain"), "EXPERIMENT_INVALID")).toBe(text("pgd-1", "plain"));
    expect(mended(text("pgd-1", "plane"), "EXPERIMENT_INVALID")).toBe(text("pgd-1", "plain"));
  });

  it("RB001: ε in units of 0…255 is converted", () => {
    const text = `{ ${base}, "attacks": [{ "kind": "pgd", "eps": 8, "steps": 40 }] }`;
    // 8/255 = 0.0313725…
    expect(mended(text, "RB001")).toBe(text.replace('"eps": 8', '"eps": 0.03137'));
    expect(fromBytes(255)).toBe(1);
    expect(fromBytes(1)).toBe(0.003922);
  });
  it("RB001: not where a radius may be larger than 1, nor for 1 itself", () => {
    expect(problems(`{ ${base}, "attacks": [{ "kind": "carliniWagner", "eps": 8 }] }`)).toEqual([]);
    expect(problems(`{ ${base}, "attacks": [{ "kind": "pgd", "eps": 1, "steps": 40, "stepSize": 0.1 }] }`)).toEqual([]);
    expect(problems(`{ ${base}, "attacks": [{ "kind": "pgd", "eps": 8, "norm": "l2" }] }`)).toEqual([]);
  });

  it("RB002: a step larger than ε becomes 2.5 ε / steps", () => {
    const text = `{ ${base}, "attacks": [{ "kind": "pgd", "eps": 0.1, "steps": 10, "stepSize": 0.5 }] }`;
    expect(mended(text, "RB002")).toBe(text.replace('"stepSize": 0.5', '"stepSize": 0.025'));
    expect(goodStep(0.3, 40)).toBe(0.01875); // 0.75/40
  });
  it("RB002: steps that cannot reach the edge of the ball", () => {
    expect(
      problems(`{ ${base}, "attacks": [{ "kind": "pgd", "eps": 0.3, "steps": 10, "stepSize": 0.01 }] }`).map(({ code }) => code),
    ).toEqual(["RB002"]);
    expect(problems(`{ ${base}, "attacks": [{ "kind": "pgd", "eps": 0.3, "steps": 30, "stepSize": 0.01 }] }`)).toEqual([]);
  });

  it("RB006: only single-step attacks; PGD of the same ε is added", () => {
    const text = `{ ${base}, "attacks": [{ "kind": "fgsm", "eps": 0.3 }] }`;
    const added = `, { "kind": "pgd", "eps": 0.3, "steps": 40, "stepSize": 0.01875 }]`;
    expect(mended(text, "RB006")).toBe(text.replace("}] }", `}${added} }`));
    expect(problems(mended(text, "RB006"))).toEqual([]);
  });

  it("RB009: the seed is written down", () => {
    const text = `{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" } }`;
    expect(problems(text).map(({ code, severity }) => [code, severity])).toEqual([["RB009", "info"]]);
    expect(JSON.parse(mended(text, "RB009").replace(/\/\/.*/g, ""))).toMatchObject({ seed: 1, dataset: { kind: "mnist" } });
  });

  it("a missing file is compared with what lies there", () => {
    const text = `{ "seed": 1, "dataset": { "kind": "mnist" }, "model": { "file": "models/mine/modell.json" } }`;
    expect(mended(text, "FILE_NOT_FOUND")).toBe(text.replace("modell.json", "model.json"));
    expect(problems(text.replace("modell.json", "model.json"))).toEqual([]);
    const path = `{ "seed": 1, "dataset": { "kind": "mnist", "path": "nowhere" }, "model": { "kind": "lenet" } }`;
    expect(problems(path).map(({ code, fixes }) => [code, fixes.length])).toEqual([["FILE_NOT_FOUND", 0]]);
  });
});
