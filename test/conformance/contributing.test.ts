import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import type { Attack, InferenceDefense } from "../../src/engine/define/index.ts";
import { attackConformance } from "./attackSuite.ts";
import { defenseConformance } from "./defenseSuite.ts";

// The worked examples of CONTRIBUTING.md, as they are written there, as files beside the sources and through all that their kind keeps.
const root = path.resolve(import.meta.dirname, "../..");
const blocks = [...readFileSync(path.join(root, "CONTRIBUTING.md"), "utf8").matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
mkdirSync(path.join(root, "dist-test"), { recursive: true });
const folder = mkdtempSync(path.join(root, "dist-test/examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function examples<E>(definition: string): Promise<{ readonly entries: readonly E[]; readonly files: readonly string[] }> {
  const chosen = blocks.filter((code) => code.includes(`= ${definition}(`));
  const files = chosen.map((code, i) => {
    const file = path.join(folder, `${definition}${i}.ts`);
    writeFileSync(file, code.replaceAll('from "../', 'from "../../src/engine/'));
    return file;
  });
  const modules = await Promise.all(files.map((file) => import(/* @vite-ignore */ file) as Promise<Record<string, E>>));
  return { entries: modules.flatMap((module) => Object.values(module)), files };
}

const attacks = await examples<Attack>("defineAttack");
const defenses = await examples<InferenceDefense>("defineInferenceDefense");

describe("the examples of CONTRIBUTING.md", () => {
  it("are an attack and a defence at least, with sound types", () => {
    expect([attacks.entries.length, defenses.entries.length].every((n) => n > 0)).toBe(true);
    const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
    const program = ts.createProgram([...attacks.files, ...defenses.files], { ...options, incremental: false });
    const problems = ts.getPreEmitDiagnostics(program).filter(({ file }) => file?.fileName.includes("examples-"));
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });
});

attackConformance(attacks.entries);
defenseConformance(defenses.entries);
