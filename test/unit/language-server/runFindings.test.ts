import { describe, expect, it } from "vitest";
import { isAsRun, runFindings } from "../../../src/language-server/runFindings.ts";
import type { Finding } from "../../../src/shared/results.ts";

const file = "x.bulwark.jsonc";
const finding = (more: Partial<Finding>): Finding => ({ rule: "RB203", severity: "warning", message: "Lost.", fix: "Smaller.", ...more });
const text = `{
  "model": { "kind": "lenet" }, // comment
  "attacks": [{ "kind": "pgd", "eps": 0.1 }, { "kind": "pgd", "eps": 0.3, "stepSize": 0.2 }],
  "compare": [{ "name": "second" }],
}`;
const experiment = {
  model: { kind: "lenet", dropout: 0.5 },
  attacks: [
    { kind: "pgd", eps: 0.1, steps: 40, stepSize: 0 },
    { kind: "pgd", eps: 0.3, steps: 40, stepSize: 0.2 },
  ],
  compare: [{ name: "second", model: { kind: "lenet" } }],
};
const problems = (written: string, ...findings: Finding[]) => runFindings(written, { run: "r1", experiment, findings });
const marked = (written: string, ...findings: Finding[]) =>
  problems(written, ...findings).map(({ span }) => written.slice(span.offset, span.offset + span.length));

describe("findings of the last run in the editor", () => {
  const second = finding({ arm: "undefended", attack: "pgd", attackKey: "pgd-2", at: { file, pointer: "/attacks/1" } });

  it("stand at the attack or the arm that they are about, and name it", () => {
    const found = problems(text, second);
    expect(found).toMatchObject([
      { code: "RB203", severity: "warning", message: "undefended · pgd-2: Lost. Smaller. (run r1)", span: { length: 5 } },
    ]);
    expect(found[0]?.span.offset).toBe(text.lastIndexOf('"pgd"'));
    expect(marked(text, finding({ at: { file, pointer: "/compare/0" } }), finding({ at: { file, pointer: "/model" } }))).toEqual([
      '"second"',
      '"lenet"',
    ]);
  });

  it("are left out where the file says something else by now, and where they have no place", () => {
    expect(problems(text.replace('"eps": 0.3', '"eps": 0.2'), second)).toEqual([]);
    expect(problems(text.replace('{ "kind": "pgd", "eps": 0.1 }, ', ""), second)).toEqual([]);
    expect(problems(text, finding({}))).toEqual([]);
    expect(problems("[", second)).toEqual([]);
    expect(runFindings(text, undefined)).toEqual([]);
  });

  it("offer their edit, which changes a value or adds one", () => {
    const edited = (pointer: string) => {
      const fix = problems(text, { ...second, edit: { pointer, value: 0.1 } })[0]?.fixes[0];
      if (!fix) throw new Error("there is no fix");
      return text.slice(0, fix.span.offset) + fix.text + text.slice(fix.span.offset + fix.span.length);
    };
    expect(edited("/attacks/1/stepSize")).toBe(text.replace("0.2", "0.1"));
    expect(edited("/attacks/0/stepSize")).toBe(text.replace('"eps": 0.1 }', '"eps": 0.1, "stepSize": 0.1 }'));
  });

  it("compare what is written with what was run: defaults may be missing, paths be shorter", () => {
    expect(isAsRun({ kind: "arrays", path: "./data.npz" }, { kind: "arrays", path: "/data/data.npz", split: 0.1 })).toBe(true);
    expect(isAsRun({ path: "ata.npz" }, { path: "/data/data.npz" })).toBe(false);
    expect(isAsRun({ at: [1, 2] }, { at: [1, 3] })).toBe(false);
    expect(isAsRun({ base: { kind: "pgd" } }, { base: { kind: "pgd", eps: 1 } })).toBe(true);
    expect(isAsRun({ base: "pgd" }, { base: { kind: "pgd", eps: 1 } })).toBe(true);
    expect(isAsRun({ eps: 1 }, undefined)).toBe(false);
  });
});
