import { describe, expect, it } from "vitest";
import generated from "../../../src/shared/catalog.generated.json";
import type { Catalog } from "../../../src/shared/catalog.ts";
import { checkValue, type JsonSchema } from "../../../src/shared/check.ts";
import { experimentSchema } from "../../../src/shared/experiment.ts";
import { nearest, suggestion } from "../../../src/shared/nearest.ts";

const schema = experimentSchema(generated as unknown as Catalog);
const whole = { dataset: { kind: "mnist" }, model: { kind: "lenet" } };
const said = (more: object, base: object = whole): string[] =>
  checkValue(schema, { ...base, ...more }).map(({ message, fix }) => `${message}. ${fix}`);

describe("what an experiment file gets wrong", () => {
  it("is nothing where it is right", () => {
    expect(said({})).toEqual([]);
    const schedule = { kind: "steps", at: [2], factor: 0.5 };
    expect(said({ train: { schedule, quickAttack: null }, attacks: [{ kind: "pgd", eps: 0 }], model: { file: "m.json" } })).toEqual([]);
    expect(said({ defense: [{ kind: "adversarialTraining", attack: { kind: "fgsm", eps: 0.1 } }, { kind: "bitDepth" }] })).toEqual([]);
    expect(said({ defense: { kind: "adversarialTraining", attack: "fgsm" } })).toEqual([]);
  });

  it("is told with key, value and what is allowed", () => {
    expect(said({ attacks: [{ kind: "fgsm", eps: -1 }] })).toEqual([
      "attacks[0].eps is -1 but must be between 0 and 1000. Correct the value.", // an L2 radius may be larger than 1
    ]);
    expect(said({ attacks: [{ kind: "fgsm", eps: "big" }] })).toEqual([
      'attacks[0].eps is "big" but must be a number between 0 and 1000, or a fraction in quotes such as "8/255". Correct the value.',
    ]);
    expect(said({ train: { epochs: 1.5 } })).toEqual(["train.epochs is 1.5 but must be a whole number of at least 1. Correct the value."]);
    expect(said({ train: { epochs: 0 } })).toEqual(["train.epochs is 0 but must be at least 1. Correct the value."]);
    expect(said({ train: { learningRate: 0 } })).toEqual(["train.learningRate is 0 but must be above 0. Correct the value."]);
    expect(said({ control: 3 })).toEqual(["control is 3 but must be true or false or a text in quotes. Correct the value."]);
    expect([said({ control: false }), said({ control: "second seed" })]).toEqual([[], []]);
    expect(said({ attacks: {} })).toEqual(["attacks is {} but must be a list in [ ]. Correct the value."]);
    expect(said({}, { dataset: { kind: "mnist" } })).toEqual(['the file has no "model". Add "model".']);
    expect(said({ compare: [{ defense: { kind: "standard" } }] })).toEqual([]); // called what its defences are
  });

  it("names what was probably meant", () => {
    expect(said({ atacks: [] })).toEqual([
      expect.stringMatching(/^the file has no "atacks"\. Did you mean "attacks"\? It has: name, seed, /),
    ]);
    expect(said({}, { dataset: { kind: "mnist" }, modle: { kind: "lenet" } })).toEqual([
      expect.stringMatching(/^the file has no "modle"\. Did you mean "model"\? It has: /),
    ]);
    expect(said({}, { datset: { kind: "mnist" }, train: { modle: 1 } })).toEqual([
      'the file has no "model". Add "model".', // the other one stands elsewhere
      expect.stringMatching(/^the file has no "datset"\. Did you mean "dataset"\?/),
      expect.stringMatching(/^train has no "modle"\. /),
    ]);
    expect(said({ train: { epoch: 3 } })).toEqual([expect.stringMatching(/^train has no "epoch"\. Did you mean "epochs"\? /)]);
    expect(said({ attacks: [{ kind: "pdg" }] })).toEqual([
      expect.stringMatching(/^attacks\[0\]\.kind is "pdg", which is not known\. Did you mean "pgd"\? Allowed: /),
    ]);
    expect(said({ attacks: [{ kind: "pgd", step_size: 1 }] })).toEqual([
      expect.stringMatching(/^pgd has no "step_size"\. Did you mean "stepSize"\? It has: /),
    ]);
    expect(said({ train: { schedule: { kind: "cosin" } } })).toEqual([
      'train.schedule.kind is "cosin", which is not known. Did you mean "cosine"? Allowed: constant, cosine, steps, exponential, plateau.',
    ]);
    expect(said({ train: { schedule: { kind: "plateau", factor: "x", patience: 2 } } })).toEqual([
      'train.schedule.factor is "x" but must be a number. Correct the value.',
    ]);
    expect(said({ expect: [{ metric: "attacked.acuracy", min: 0 }] })).toEqual([
      expect.stringMatching(/^expect\[0\]\.metric is "attacked\.acuracy", which is not known\. Did you mean "attacked\.accuracy"\?/),
    ]);
  });

  it("is found inside nested choices, by id and as an object", () => {
    const training = (attack: unknown) => said({ defense: { kind: "adversarialTraining", attack } });
    expect(training("fgms")).toEqual([expect.stringMatching(/^defense\.attack is "fgms", which is not known\. Did you mean "fgsm"\?/)]);
    expect(training({ kind: "fgsm", epsilon: 1 })).toEqual([expect.stringMatching(/^fgsm has no "epsilon"\./)]);
    expect(training(["fgsm", { kind: "pgd", steps: 3 }])).toEqual([]);
    expect(training(["fgsm", "pdg"])).toEqual([expect.stringMatching(/^defense\.attack\[1\] is "pdg", which is not known\./)]);
    expect(training([])).toEqual([expect.stringMatching(/^defense\.attack has 0 entries but must have at least 1/)]);
    expect(training(7)).toEqual([expect.stringMatching(/^defense\.attack is 7 but must be a text in quotes or an object in \{ \}/)]);
  });

  it("is not a distance written as a fraction, and no other number may be one", () => {
    const pgd = (params: object) => said({ attacks: [{ kind: "pgd", ...params }] });
    expect(pgd({ eps: "8/255", stepSize: "2/255" })).toEqual([]);
    expect(pgd({ eps: 0.3, stepSize: "-1/255" })).toEqual([
      'attacks[0].stepSize is "-1/255" but must be between 0 and 1000. Correct the value.',
    ]);
    expect(pgd({ eps: "8/0" })).toEqual([
      'attacks[0].eps is "8/0" but must be a number between 0 and 1000, or a fraction in quotes such as "8/255". Correct the value.',
    ]);
    expect(pgd({ steps: "80/2" })).toEqual([
      'attacks[0].steps is "80/2" but must be a whole number between 1 and 10000. Correct the value.',
    ]);
    expect(said({ defense: { kind: "labelSmoothing", smoothing: "1/10" } })).toEqual([
      'defense.smoothing is "1/10" but must be a number between 0 and 1. Correct the value.',
    ]);
    expect(said({ defense: { kind: "adversarialTraining", attack: { kind: "pgd", eps: "4/255" } } })).toEqual([]);
    expect(said({ analyses: [{ kind: "robustnessCurve", attack: "pgd", over: "eps", values: ["2/255", "4/255", 0.1] }] })).toEqual([]);
  });

  it("says which key or word was meant", () => {
    const meant = (more: object) => checkValue(schema, { ...whole, ...more }).map((violation) => violation.meant);
    expect(meant({ atacks: [] })).toEqual(["attacks"]);
    expect(meant({ attacks: [{ kind: "pgd", epsilon: 1 }] })).toEqual(["eps"]);
    expect(meant({ train: { optimizer: "adm" } })).toEqual(["adam"]);
    expect(meant({ compare: [{ name: "a", defence: { kind: "standard" } }] })).toEqual(["defense"]);
    expect(meant({ compare: [{ nme: "a", name: "b" }], expect: [{ metric: "robustness", mx: 1 }] })).toEqual(["name", "max"]);
    expect(meant({ zzz: 1 })).toEqual([undefined]);
  });

  it("is a window without a middle, and a number above the one that bounds it, whichever of the two the file has", () => {
    expect(said({ defense: { kind: "gaussianFilter", window: 4 } })).toEqual([
      "defense.window is 4 but must be odd, so that a window has a middle. Use 3 or 5.",
    ]);
    const overlap = "defense.overlap is 5 but must be below window, which is 5. Set overlap below 5, or window above 5.";
    expect(said({ defense: { kind: "localGradientSmoothing", window: 5, overlap: 5 } })).toEqual([overlap]);
    const [left] = checkValue(schema, { ...whole, defense: { kind: "localGradientSmoothing", window: 5 } });
    expect([left?.message, left?.path]).toEqual([overlap.split(". ")[0], ["defense", "window"]]);
    expect(said({ defense: { kind: "localGradientSmoothing", window: 6 } })).toEqual([]);
  });

  it("has its place", () => {
    const [key, value] = checkValue(schema, { ...whole, train: { epoch: 3, batchSize: 0 } });
    expect([key?.path, key?.isKey]).toEqual([["train", "epoch"], true]);
    expect([value?.path, value?.isKey]).toEqual([["train", "batchSize"], false]);
  });
});

describe("the keywords of a schema", () => {
  const wrong = (one: JsonSchema, value: unknown): boolean => checkValue(one, value, ["x"]).length > 0;

  it("hold what JSON Schema says of them", () => {
    const cases: readonly (readonly [JsonSchema, unknown, boolean])[] = [
      [{ type: "integer" }, 2.5, true],
      [{ type: "integer" }, 2, false],
      [{ type: "number" }, Number.NaN, true],
      [{ type: "number", minimum: 0, maximum: 1 }, 1, false],
      [{ type: "number", exclusiveMinimum: 0 }, 0, true],
      [{ const: 3 }, 3, false],
      [{ enum: ["a"] }, "b", true],
      [{ type: "array", items: { type: "string" } }, ["a", 1], true],
      [{ type: "array", items: [{ type: "number" }, { type: "number" }], minItems: 2, maxItems: 2 }, [1], true],
      [{ type: "object", properties: { toString: { type: "number" } }, additionalProperties: false }, {}, false],
      [{ type: "object", properties: {}, additionalProperties: false }, { constructor: 1 }, true],
      [{ if: { required: ["a"] }, then: { required: ["b"] }, else: { required: ["c"] } }, { a: 1 }, true],
      [{ if: { required: ["a"] }, then: { required: ["b"] }, else: { required: ["c"] } }, { c: 1 }, false],
      [{ anyOf: [{ type: "null" }, { type: "number" }] }, null, false],
      [{ anyOf: [{ const: "a" }, { const: "b" }] }, "c", true],
      [{ definitions: { n: { type: "number" } }, properties: { a: { $ref: "#/definitions/n" } } }, { a: "1" }, true],
    ];
    for (const [one, value, isWrong] of cases)
      expect([JSON.stringify(one), value, wrong(one, value)]).toEqual([JSON.stringify(one), value, isWrong]);
  });
});

describe("a name that is none", () => {
  it("is likened to one that is close, whatever its case and order", () => {
    expect(nearest("PDG", ["fgsm", "pgd"])).toBe("pgd");
    expect(suggestion("learning_rate", ["learningRate", "epochs"])).toBe('Did you mean "learningRate"? Known: learningRate, epochs.');
    expect(suggestion("transformer", ["lenet", "vgg16"], "Models")).toBe("Models: lenet, vgg16.");
    expect(suggestion("x", [])).toBe("There are none.");
  });
});
