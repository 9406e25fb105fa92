import { describe, expect, it } from "vitest";
import { type Disk, problemsOf } from "../../../src/language-server/semantics.ts";
import type { Catalog, CatalogEntry, ParameterSchema } from "../../../src/shared/catalog.ts";
import type { Problem } from "../../../src/shared/fileRules/problem.ts";
import { goodStep } from "../../../src/shared/fileRules/rb002.ts";
import { editDistance, nearest } from "../../../src/shared/nearest.ts";

const entry = (
  kind: CatalogEntry["kind"],
  id: string,
  properties: Record<string, ParameterSchema> = {},
  facts: Partial<CatalogEntry> = {},
): CatalogEntry => ({ kind, id, title: id, paper: "", params: { type: "object", properties }, ...facts });
const eps: ParameterSchema = { type: "number", default: 0.03, minimum: 0, maximum: 1000, role: "radius" };
const norm: ParameterSchema = { type: "string", enum: ["linf", "l2"], default: "linf", role: "norm" };
const steps: ParameterSchema = { type: "integer", default: 40, role: "steps" };
const stepSize: ParameterSchema = { type: "number", default: 0, role: "step" };
const base0: ParameterSchema = { type: "object", registry: "attack", default: { kind: "pgd" } };
const linf = { norm: "linf", access: "gradients" } as const;
const catalog: Catalog = [
  entry("attack", "fgsm", { eps, norm }, { ...linf, iterative: false }),
  entry("attack", "pgd", { eps, norm, steps, stepSize }, { ...linf, iterative: true }),
  entry("attack", "carliniWagner", { eps: { ...eps, default: 1 } }, { norm: "l2", access: "gradients", iterative: true }),
  entry("attack", "wrapped", { base: base0, sigma: { type: "number", role: "distance" } }, { ...linf, iterative: true }),
  entry("dataset", "mnist", { path: { type: "string", format: "path" } }),
  entry("dataset", "cifar10"),
  entry("model", "lenet"),
  entry("defense", "standard"),
  entry("defense", "trained", { attack: base0, eps, steps, stepSize }),
  entry("detector", "entropy", { rate: { type: "number" } }),
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

describe("a model of a format that cannot be opened", () => {
  const there = ["/w/net.pt", "/w/old.pth", "/w/old.onnx", "/w/saved"];
  const files: Disk = {
    exists: (file) => there.includes(file),
    names: (directory) => (directory === "/w/saved" ? ["saved_model.pb"] : []),
  };
  const found = (file: string) => {
    const text = `{ "seed": 1, "dataset": { "kind": "mnist" }, "model": { "file": "${file}" } }`;
    return problemsOf({ text, directory: "/w", catalog, disk: files }).filter(({ code }) => code === "MODEL_INVALID");
  };

  it("is a problem with the lines that export it", () => {
    expect(found("net.pt")).toMatchObject([
      { message: "net.pt is a PyTorch model, which is not supported yet. Export it to ONNX.", fixes: [] },
    ]);
    expect(found("net.pt")[0]?.snippet).toContain('"net.onnx"');
    expect(found("saved")[0]).toMatchObject({
      message: expect.stringContaining("TensorFlow SavedModel"),
      snippet: expect.stringContaining("--saved-model"),
    });
    expect(found("old.onnx")).toEqual([]);
  });

  it("is changed to the exported one that lies beside it", () => {
    expect(found("old.pth")[0]?.fixes).toMatchObject([{ title: 'Change to "old.onnx"' }]);
  });
});

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
    expect(mended(text, "RB001")).toBe(text.replace('"eps": 8', '"eps": "8/255"'));
    expect(problems(mended(text, "RB001"))).toEqual([]);
    // 8/255 = 0.0313725…
    expect(problems(text)[0]?.fixes[0]?.title).toBe('Convert to "8/255", which is 0.03137');
  });
  it("a distance may be a fraction in quotes, and the rules see its value", () => {
    const attacks = (text: string) => problems(`{ ${base}, "attacks": [{ "kind": "pgd", ${text} }] }`).map(({ code }) => code);
    expect(attacks(`"eps": "8/255", "steps": 40, "stepSize": "2/255"`)).toEqual([]);
    expect(attacks(`"eps": "8/2", "steps": 40`)).toEqual(["RB001"]);
    expect(attacks(`"eps": "8/255", "steps": 40, "stepSize": "16/255"`)).toEqual(["RB002"]);
    expect(attacks(`"eps": "8/255", "steps": 3, "stepSize": "1/255"`)).toEqual(["RB002"]);
  });
  it("RB001: not for an L2 distance, nor for 1 itself", () => {
    expect(problems(`{ ${base}, "attacks": [{ "kind": "carliniWagner", "eps": 8 }] }`)).toEqual([]);
    expect(problems(`{ ${base}, "attacks": [{ "kind": "pgd", "norm": "l2", "eps": 8 }] }`)).toEqual([]);
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

  it("RB006: not beside an iterative attack, nor beside one of an unknown name", () => {
    const codes = (...kinds: string[]) =>
      problems(`{ ${base}, "attacks": [${kinds.map((kind) => `{ "kind": "${kind}", "eps": 0.3 }`).join(", ")}] }`).map(({ code }) => code);
    expect(codes("fgsm", "fgsm")).toEqual(["RB006"]);
    expect(codes("fgsm", "carliniWagner")).toEqual([]);
    expect(codes("fgsm", "imagenet")).toEqual(["UNKNOWN_ID"]);
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

  it("one defence or a list, detectors, and choices inside parameters are all looked into", () => {
    const codes = (text: string) => problems(`{ ${base}, ${text} }`).map(({ code, message }) => `${code} ${message.split(/[;.] /)[0]}`);
    expect(codes(`"defense": [{ "kind": "standart" }, { "kind": "trained", "stepz": 1 }]`)).toEqual([
      'UNKNOWN_ID There is no defense "standart"',
      'PARAMETER_INVALID trained has no parameter "stepz"',
    ]);
    expect(codes(`"detectors": [{ "kind": "entropi" }]`)).toEqual(['UNKNOWN_ID There is no detector "entropi"']);
    expect(codes(`"defense": { "kind": "trained", "attack": { "kind": "pdg" } }`)).toEqual(['UNKNOWN_ID There is no attack "pdg"']);
    expect(codes(`"defense": { "kind": "trained", "attack": "fgms" }`)).toEqual(['UNKNOWN_ID There is no attack "fgms"']);
    const nested = `"attacks": [{ "kind": "wrapped", "base": { "kind": "wrapped", "base": { "kind": "pgd", "eps": 8 } }, "sigma": 3 }]`;
    expect(codes(nested).map((text) => text.split(",")[0])).toEqual(["RB001 sigma is 3", "RB001 eps is 8"]);
  });
  it("the fix of a nested id changes that id", () => {
    const text = `{ ${base}, "defense": { "kind": "trained", "attack": "fgms" } }`;
    expect(mended(text, "UNKNOWN_ID")).toBe(text.replace("fgms", "fgsm"));
  });
  it("RB002 for a defence that trains with an attack", () => {
    const text = `{ ${base}, "defense": { "kind": "trained", "eps": 0.3, "steps": 10, "stepSize": 0.5 } }`;
    expect(mended(text, "RB002")).toBe(text.replace("0.5", "0.075")); // 2.5·0.3/10
  });

  it("an expectation without a limit, an unknown control arm, two arms of one name", () => {
    const codes = (text: string) => problems(`{ ${base}, ${text} }`).map(({ code, message }) => `${code} ${message}`);
    expect(codes(`"expect": [{ "metric": "clean.accuracy" }]`)).toEqual([
      'EXPERIMENT_INVALID This expectation has neither min nor max. Add "min", "max" or both.',
    ]);
    expect(codes(`"expect": [{ "metric": "clean.accuracy", "min": -1 }]`)).toEqual([
      'EXPERIMENT_INVALID This expectation has min -1, which every result meets. Write a "min" above 0, or remove it: clean.accuracy lies between 0 and 1.',
    ]);
    expect(codes(`"compare": [{ "name": "second" }], "control": "secnd"`)).toEqual([
      'EXPERIMENT_INVALID This experiment has no arm "secnd". Did you mean "second"? It has: second.',
    ]);
    expect(codes(`"compare": [{ "name": "a" }, { "name": "a" }]`)).toEqual([
      'EXPERIMENT_INVALID Another arm is called "a" already. Give each entry of "compare" a name of its own.',
    ]);
    expect(codes(`"defense": [{ "kind": "standard" }], "compare": [{ "name": "undefended" }]`)).toHaveLength(1);
  });
});
