import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { commonOptions, verbs } from "../../../../src/cli/usage.ts";
import { catalog } from "../../../../src/engine/catalog.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { comparedFindings } from "../../../../src/engine/rules/compare.ts";
import type { AttackEvidence, ComparedAttack } from "../../../../src/engine/rules/evidence.ts";
import { armRules, attackRules, curveRules, detectorRules, modelRules, pairRules, runRules } from "../../../../src/engine/rules/index.ts";
import { findingsOf } from "../../../../src/engine/rules/rule.ts";
import { InputContractSchema } from "../../../../src/shared/contract.ts";
import { besideParameters, defaultTrain } from "../../../../src/shared/experiment.ts";
import type { Finding, ImageRecord } from "../../../../src/shared/results.ts";
import { rules } from "../../../../src/shared/rules.ts";
import { records } from "../analyses/fixtures.ts";

const notes = {
  outOfBall: 1,
  notFinite: 1,
  silentSuccess: 1,
  lostAfter8Bit: 1,
  skipped: 1,
  zeroGradient: 0,
  zeroMargin: 0,
  usesGradients: true,
};
const attack: AttackEvidence = {
  attack: { id: "pgd", params: {} },
  notes,
  gradientEvaluations: 0,
  records: records("bbbbb"),
  control: records("bbbbb"),
  isOnItsOwn: true,
};
const lastMinute = records("bbbrrr").map((record) => ({ ...record, iterations: 4 }));
const compared = (id: string, radius: number, images: readonly ImageRecord[], more: Partial<ComparedAttack> = {}): ComparedAttack => ({
  arm: "a",
  id,
  key: `${id}-${radius}`,
  name: id,
  iterative: id === "pgd",
  access: "gradients",
  ball: { norm: "linf", radius },
  target: null,
  records: images,
  minimizes: null,
  knowledge: null,
  ...more,
});
const many = (letter: string) => records(letter.repeat(60));
const beside = (undefended: string, transferred: string) => ({ static: { undefended: many(undefended), transferred: many(transferred) } });
const constant = records("r".repeat(10)).map((record) => ({ ...record, label: 1 }));

/** A finding of every rule that a run can raise. */
const findings: readonly Finding[] = [
  ...findingsOf(
    modelRules,
    {
      outputs: "probabilities",
      bounded: null,
      forwardOnly: "has a node",
      quantisers: 2,
      contractFile: "model.bulwark.json",
      contractSource: { kind: "assumed", text: "assumed" },
      contradiction: "a contradicts b",
      measured: { passDifference: 0.1, batchDifference: 0.1 },
      probed: { betterRange: "with a it is right on 9 of 9 images, now on 0", betterLabels: "read b, 9 of 9 are right, as they are 0" },
    },
    {},
  ),
  ...findingsOf(
    modelRules,
    {
      outputs: "logits",
      bounded: null,
      forwardOnly: null,
      quantisers: 0,
      contractFile: "net.bulwark.json",
      contractSource: { kind: "file", text: "model.bulwark.json" },
      contradiction: null,
      measured: { passDifference: 0, batchDifference: 0.1 },
    },
    {},
  ),
  ...(["all", "some", "each"] as const).flatMap((kind) =>
    findingsOf(
      modelRules,
      {
        outputs: "logits",
        byValue: { kind, most: 1 },
        bounded: null,
        forwardOnly: null,
        quantisers: 0,
        contractFile: "net.bulwark.json",
        contractSource: { kind: "file", text: "model.bulwark.json" },
        contradiction: null,
      },
      {},
    ),
  ),
  ...findingsOf(attackRules, attack, {}),
  ...["deepFool", "carliniWagner"].flatMap((id) =>
    findingsOf(attackRules, { ...attack, attack: { id, params: bind("attack", { kind: id }).params }, minimizes: "l2" }, {}),
  ),
  ...findingsOf(attackRules, { ...attack, gradientEvaluations: 1, records: records("rrrrr") }, {}),
  ...[0, 5].flatMap((zeroMargin) =>
    findingsOf(
      attackRules,
      { ...attack, attack: { id: "pgd", params: { loss: "crossEntropy" } }, notes: { ...notes, zeroGradient: 5, zeroMargin } },
      {},
    ),
  ),
  ...findingsOf(attackRules, { ...attack, records: lastMinute, steps: { parameter: "steps", value: 4, iterations: 4 } }, {}),
  ...findingsOf(
    armRules,
    {
      departures: ["A."],
      isTrainedHere: true,
      hasFront: false,
      clean: constant,
      gradients: { n: 4, zero: 4, notFinite: 1, saturated: 4, agreement: 0.1 },
      unbounded: { attack: "pgd", attackKey: "pgd", survivors: 9, n: 9, classes: 10 },
      probed: { n: 64, hits: 64 },
    },
    {},
  ),
  ...[0, 1].flatMap((adaptive) =>
    findingsOf(
      detectorRules,
      { name: "MVM", randomised: true, evasionPasses: 1, attacks: 2, adaptive, thresholdImages: 0, sharedImages: adaptive },
      {},
    ),
  ),
  ...findingsOf(runRules, { deviceFailures: ["It failed."] }, {}),
  ...comparedFindings(pairRules, [
    compared("fgsm", 0.3, many("b")),
    compared("pgd", 0.3, many("r")),
    compared("fgsm", 0.1, many("b"), { arm: "b" }),
    compared("fgsm", 0.2, many("r"), { arm: "b" }),
    compared("pgd", 0.3, many("b"), { arm: "c", knowledge: "adaptive", ...beside("b", "r") }),
    compared("pgd", 0.3, many("r"), { arm: "d", knowledge: "adaptive", ...beside("b", "b") }),
    compared("pgd", 0.3, many("r"), { arm: "e", knowledge: "static" }),
    compared("pgd", 0.3, many("r"), { arm: "f" }),
    compared("deepFool", 0, many("b"), { arm: "f", ball: null, minimizes: "l2" }),
  ]),
  ...["pgd", "fgsm"].flatMap((id) =>
    comparedFindings(
      curveRules,
      [1, 8].map((radius) => compared(id, radius / 255, many("r"))),
    ),
  ),
  ...comparedFindings(curveRules, [
    compared("pgd", 0.3, many("r"), { crossed: [{ madeOn: "b", records: many("b") }] }),
    compared("sparseRs", 0.3, many("b"), { access: "scores" }),
  ]),
  ...["nPixel", "greedyPixels"].flatMap((id) =>
    comparedFindings(
      curveRules,
      [1, 16].map((radius) => compared(id, radius, many("r"), { ball: { norm: "l0", radius } })),
    ),
  ),
];

/** Everything that a remedy may name: ids, parameters and their options, settings of a training, an input contract's fields, options of the command line. */
const entries = catalog();
const parameters = entries.flatMap(({ params }) => Object.entries(params.properties));
const words = new Set([
  ...entries.map(({ id }) => id),
  ...parameters.flatMap(([name, schema]) => [name, ...(schema.enum ?? [])]),
  ...Object.keys(defaultTrain),
  ...Object.keys(InputContractSchema.properties),
  ...Object.keys(InputContractSchema.properties.input.properties),
  ...["kind", "probabilities", "logits"],
  ...Object.entries(besideParameters.attacks).flatMap(([name, schema]) => [name, ...schema.enum]),
]);
const options = new Set([commonOptions, ...Object.values(verbs).map((verb) => verb.options)].flatMap((some) => Object.keys(some)));

describe("what findings say", () => {
  it("is known for every rule that a run can raise", () => {
    const raised = new Set(findings.map(({ rule }) => rule));
    const possible = rules.filter(({ when }) => when !== "file" && when !== "table").map(({ id }) => id);
    expect([...raised].sort()).toEqual(possible);
  });

  it.each(findings.map((finding) => [finding.rule, finding] as const))("%s is a sentence, and names only what there is", (_, finding) => {
    for (const text of [finding.message, finding.fix]) {
      expect(text).toMatch(/^[A-Z0-9].*[.)]$/s);
      expect(text).not.toMatch(/suspicious because|undefined|NaN %/i);
    }
    const quoted = [...finding.fix.matchAll(/"([^"]+)"/g)].map(([, word]) => word as string);
    const camel = [...finding.fix.matchAll(/\b[a-z]+[A-Z]\w*/g)].map(([word]) => word);
    expect([...quoted, ...camel].filter((word) => !words.has(word))).toEqual([]);
    const flags = [...finding.fix.matchAll(/--([a-z-]+)/g)].map(([, flag]) => flag as string);
    expect(flags.filter((flag) => !options.has(flag))).toEqual([]);
  });
});
