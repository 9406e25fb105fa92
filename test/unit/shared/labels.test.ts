import { expect, test } from "vitest";
import catalog from "../../../src/shared/catalog.generated.json";
import { type Catalog, entriesOf } from "../../../src/shared/catalog.ts";
import { adaptiveNotes, armLabel, attackLabel, choiceLabel, namesOf, placedFindings } from "../../../src/shared/labels.ts";
import type { ArmReport, AttackSummary, Choice } from "../../../src/shared/results.ts";

const summary = (attack: Choice, more: Partial<AttackSummary> = {}): AttackSummary =>
  ({ attack, ...more }) as Partial<AttackSummary> as AttackSummary;
const arm = (name: string, defense: Choice, attacks: readonly AttackSummary[]): ArmReport =>
  ({ name, defense, attacks }) as Partial<ArmReport> as ArmReport;

test("an entry's own label stands; of an older report the id is spelled in words, with what decides its strength", () => {
  expect(attackLabel({ attack: { id: "pgd", params: {} }, label: "PGD-40, ε 8/255" })).toBe("PGD-40, ε 8/255");
  expect(choiceLabel({ id: "pgd", params: { eps: 8 / 255, steps: 40 } })).toBe("PGD, 40 steps, ε 8/255");
  expect(choiceLabel({ id: "nPixel", params: { pixels: 1 } })).toBe("N pixel, 1 px");
  expect(choiceLabel({ id: "adversarialPatch", params: { area: 0.1, steps: 500 } })).toBe("Adversarial patch, 10.0 % of the image");
  expect(choiceLabel({ id: "volumizedCurriculum", params: { patch: 7 } })).toBe("Volumized curriculum");
  expect(choiceLabel({ id: "standard", params: {} })).toBe("No defence");
  expect(choiceLabel({ id: "other", params: {} }, "Another attack")).toBe("Another attack");
  expect(["cwPgd", "iterStepLL", "lavan", "jpeg", "limelight"].map((id) => choiceLabel({ id, params: {} }))).toEqual([
    "CW PGD",
    "Iter step LL",
    "LaVAN",
    "JPEG",
    "Limelight",
  ]);
});

test("an explanation is called by its title, in a report of any version", () => {
  const explanations = entriesOf(catalog as unknown as Catalog, "explanation");
  expect(explanations.length).toBeGreaterThan(0);
  for (const { id, title } of explanations) expect(choiceLabel({ id, params: {} })).toBe(title);
});

test("an arm that has its name from the ids of its defences is called as they are, of an older report by their words, another one by its own name", () => {
  const labelled = { id: "bitDepth", params: {}, label: "Bit depth 3" };
  expect(armLabel({ name: "bitDepth", defense: labelled })).toBe("Bit depth 3");
  const defense = { id: "bitDepth", params: {} };
  expect(armLabel({ name: "bitDepth", defense })).toBe("Bit depth");
  expect(armLabel({ name: "jpeg + bitDepth", defense: { id: "jpeg + bitDepth", params: {} } })).toBe("JPEG + Bit depth");
  expect(armLabel({ name: "three bits", defense })).toBe("three bits");
  const { text } = namesOf({ arms: [arm("bitDepth", defense, [])] });
  expect(["bitDepth", "bitDepth, static", "bitDepths", "a bitDepth"].map(text)).toEqual([
    "Bit depth",
    "Bit depth, static",
    "bitDepths",
    "a bitDepth",
  ]);
});

test("findings say where they belong under the names of arms and attacks, once for several attacks", () => {
  const report = {
    arms: [
      arm("bitDepth", { id: "bitDepth", params: {} }, [
        summary({ id: "pgd", params: { eps: 0.1 } }),
        summary({ id: "pgd", params: { eps: 0.2 } }, { key: "strong", label: "PGD-100" }),
      ]),
    ],
  };
  const names = namesOf(report);
  expect([names.attack("pgd"), names.attack("strong"), names.attack("pgd-static"), names.attack("unknown")]).toEqual([
    "PGD, ε 0.1",
    "PGD-100",
    "PGD, ε 0.1, static",
    "unknown",
  ]);
  const finding = { rule: "RB301", severity: "warning", message: "m", fix: "f", arm: "bitDepth" } as const;
  const placed = placedFindings(
    [
      { ...finding, attack: "pgd" },
      { ...finding, attack: "strong" },
    ],
    names,
  );
  expect(placed.map(({ place }) => place)).toEqual(["Bit depth · PGD, ε 0.1, PGD-100"]);
});

test("how adaptive attacks were built is said once an arm, and for which attacks where they differ", () => {
  const how = "BPDA through JPEG";
  const attack = (id: string, more: Partial<AttackSummary>) => summary({ id, params: {} }, { mode: "adaptive", ...more });
  const of = (...attacks: AttackSummary[]) => adaptiveNotes({ arms: [arm("a", { id: "jpeg", params: {} }, attacks)] });
  expect(of(attack("pgd", { how }), attack("fgsm", { how }))).toEqual(["a, adaptive attacks: BPDA through JPEG"]);
  expect(of(attack("pgd", { how }), attack("fgsm", { how: "the model itself" }))).toEqual([
    "a, adaptive attacks (PGD): BPDA through JPEG",
    "a, adaptive attacks (FGSM): the model itself",
  ]);
  expect(of(attack("pgd", { how, mode: "static" }))).toEqual([]);
});
