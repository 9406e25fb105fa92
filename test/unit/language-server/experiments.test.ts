import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { createExperiments } from "../../../src/language-server/experiments.ts";
import generated from "../../../src/shared/catalog.generated.json";
import { type Catalog, entriesOf } from "../../../src/shared/catalog.ts";
import { besideParameters } from "../../../src/shared/experiment.ts";

const experiments = createExperiments(generated as unknown as Catalog);
const open = (text: string): TextDocument => TextDocument.create("file:///w/x.bulwark.jsonc", "bulwark-experiment", 1, text);
/** `|` is where the cursor stands. */
function cursor(text: string): { document: TextDocument; position: { line: number; character: number } } {
  const document = open(text.replace("|", ""));
  return { document, position: document.positionAt(text.indexOf("|")) };
}
const labels = async (text: string): Promise<string[]> => {
  const { document, position } = cursor(text);
  return ((await experiments.complete(document, position))?.items ?? []).map(({ label }) => label);
};

describe("experiment files in the editor", () => {
  it("offer the keys that are missing", async () => {
    const found = await labels('{ "seed": 1, | }');
    expect(found).toEqual(expect.arrayContaining(["dataset", "model", "attacks", "compare"]));
    expect(found).not.toContain("seed");
  });
  it("offer the parameters of the attack that was chosen, and of no other", async () => {
    const found = await labels('{ "attacks": [{ "kind": "fgsm", | }] }');
    expect(found).toContain("eps");
    expect(found).not.toContain("stepSize");
  });
  it("offer ids", async () => {
    expect(await labels('{ "attacks": [{ "kind": | }] }')).toEqual(expect.arrayContaining(['"fgsm"', '"pgd"', '"nPixel"']));
  });
  it("offer the entries and parameters of a choice inside parameters", async () => {
    expect(await labels('{ "defense": { "kind": "adversarialTraining", "attack": | } }')).toEqual(
      expect.arrayContaining(['"fgsm"', '"pgd"']),
    );
    const found = await labels('{ "defense": { "kind": "adversarialTraining", "attack": { "kind": "pgd", | } } }');
    expect(found).toContain("randomStart");
    expect(found).not.toContain("popSize");
    const second = await labels('{ "defense": { "kind": "adversarialTraining", "attack": ["fgsm", { "kind": "pgd", | }] } }');
    expect(second).toContain("randomStart");
  });
  it("offer what an input contract may hold", async () => {
    expect(await labels('{ "model": { "file": "model.json", "input": { | } } }')).toEqual(expect.arrayContaining(["input", "output"]));
    const found = await labels('{ "model": { "file": "model.json", "input": { "input": { "mean": 0, | } } } }');
    expect(found).toEqual(expect.arrayContaining(["scale", "channels", "resize", "crop"]));
    expect(found).not.toContain("mean");
    expect(await labels('{ "model": { "file": "model.json", "input": { "input": { "channels": | } } } }')).toEqual(
      expect.arrayContaining(['"rgb"', '"bgr"', '"gray"']),
    );
  });
  it("mend keys, words and fractions by a quick fix, at any level", async () => {
    const rest = '"seed": 1, "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }';
    const mended = (text: string): string[] => {
      const document = open(text);
      const all = { start: document.positionAt(0), end: document.positionAt(text.length) };
      return experiments.actions(document, all).map(({ edit }) => {
        const [change] = Object.values(edit?.changes ?? {})[0] ?? [];
        if (!change) return text;
        return text.slice(0, document.offsetAt(change.range.start)) + change.newText + text.slice(document.offsetAt(change.range.end));
      });
    };
    const fixes = (wrong: string, right: string): void => expect(mended(`{ ${rest}, ${wrong} }`)).toEqual([`{ ${rest}, ${right} }`]);
    fixes('"detecters": []', '"detectors": []');
    fixes('"train": { "epoch": 2 }', '"train": { "epochs": 2 }');
    fixes('"train": { "optimizer": "adm" }', '"train": { "optimizer": "adam" }');
    fixes(
      '"compare": [{ "name": "a", "defence": { "kind": "standard" } }]',
      '"compare": [{ "name": "a", "defense": { "kind": "standard" } }]',
    );
    fixes('"expect": [{ "metric": "clean.accuracy", "mn": 0.5 }]', '"expect": [{ "metric": "clean.accuracy", "min": 0.5 }]');
    fixes('"attacks": [{ "kind": "pgd", "eps": 8/255 }]', '"attacks": [{ "kind": "pgd", "eps": "8/255" }]');
    fixes(
      '"defense": { "kind": "adversarialTraining", "attack": { "kind": "pgd", "epsilon": 0.1 } }',
      '"defense": { "kind": "adversarialTraining", "attack": { "kind": "pgd", "eps": 0.1 } }',
    );
    const document = open(`{ ${rest}, "attacks": [{ "kind": "pgd", "eps": 8/255 }] }`);
    expect((await experiments.diagnose(document)).map(({ message }) => message)).toEqual(['8/255 is not a number in JSON. Write "8/255".']);
  });
  it("offer entries in lists and for objects, and a model file beside the built-in models", async () => {
    for (const [list, id] of [
      ["attacks", "pgd"],
      ["detectors", "softmaxEntropy"],
      ["analyses", "timing"],
      ["defense", "medianFilter"],
    ])
      expect(await labels(`{ "${list}": [|] }`), list).toContain(id);
    expect(await labels('{ "dataset": | }')).toContain("mnist");
    expect(await labels('{ "model": { | } }')).toEqual(expect.arrayContaining(["kind", "file"]));
    expect(await labels('{ "compare": [{ "name": "a", "model": { | } }] }')).toEqual(expect.arrayContaining(["kind", "file"]));
    expect(await labels('{ "model": { "file": "m.json", | } }')).toEqual(["input", "fineTune"]);
  });
  it("say unit, range and default of a parameter that they offer", async () => {
    const { document, position } = cursor('{ "attacks": [{ "kind": "pgd", | }] }');
    const items = (await experiments.complete(document, position))?.items ?? [];
    const said = items.find(({ label }) => label === "eps")?.documentation;
    expect(said).toMatch(/^Radius of the ball: .+ \(unit: of 1; 0 to 1000; default 8\/255\)$/);
  });
  it("explain parameters", async () => {
    const { document, position } = cursor('{ "attacks": [{ "kind": "pgd", "st|eps": 40 }] }');
    expect(JSON.stringify((await experiments.hover(document, position))?.contents)).toContain("Iterations");
  });
  it("report unknown keys and values out of range, each once", async () => {
    const document = open(
      '{ "seed": 1, "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }, "attacks": [{ "kind": "pgd", "epsilon": 1, "steps": 0, "eps": 8 }] }',
    );
    const found = await experiments.diagnose(document);
    const texts = found.map(({ range }) => document.getText(range)).sort();
    expect(texts).toEqual(['"epsilon"', "0", "8"]);
    expect(found.every(({ source }) => source === "bulwark")).toBe(true);
  });
  it("allow comments and say where the experiment begins", async () => {
    const document = open('// first\n\n{ "seed": 1, /* here */ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }, }\n');
    expect(await experiments.diagnose(document)).toEqual([]);
    expect(experiments.firstLine(document)).toBe(2);
  });
  it("offer defences alone and in a list, and detectors", async () => {
    expect(await labels('{ "defense": { "kind": | } }')).toContain('"bitDepth"');
    expect(await labels('{ "defense": [{ "kind": "medianFilter" }, { "kind": | }] }')).toContain('"bitDepth"');
    expect(await labels('{ "defense": [{ "kind": "medianFilter", | }] }')).toContain("window");
    expect(await labels('{ "detectors": [{ "kind": | }] }')).toContain('"softmaxEntropy"');
  });
  it("offer and explain choices inside parameters", async () => {
    const inside = '"defense": { "kind": "adversarialTraining", "attack": ';
    expect(await labels(`{ ${inside}{ "kind": | } } }`)).toEqual(expect.arrayContaining(['"fgsm"', '"pgd"']));
    expect(await labels(`{ ${inside}{ "kind": "pgd", | } } }`)).toContain("randomStart");
    expect(await labels(`{ ${inside}{ "kind": "fgsm", | } } }`)).not.toContain("randomStart");
    expect(await labels(`{ ${inside}"|" } }`)).toEqual(expect.arrayContaining(['"fgsm"', '"pgd"']));
    const { document, position } = cursor(`{ ${inside}{ "kind": "pgd", "random|Start": true } } }`);
    expect(JSON.stringify((await experiments.hover(document, position))?.contents)).toContain("random place");
  });
  it("report mistakes inside nested choices, each once", async () => {
    const rest = '"seed": 1, "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }';
    const wrong = (attack: string) => open(`{ ${rest}, "defense": [{ "kind": "adversarialTraining", "attack": ${attack} }] }`);
    const texts = async (document: TextDocument) =>
      (await experiments.diagnose(document)).map(({ range }) => document.getText(range)).sort();
    expect(await texts(wrong('{ "kind": "pgd", "epsilon": 1, "steps": 0 }'))).toEqual(['"epsilon"', "0"]);
    expect(await texts(wrong('"pdg"'))).toEqual(['"pdg"']);
    expect(await texts(wrong('"fgsm"'))).toEqual([]);
    expect(await texts(wrong('{ "kind": "fgsm" }'))).toEqual([]);
  });

  const root = path.resolve(import.meta.dirname, "../../..");
  const apart = mkdtempSync(path.join(tmpdir(), "bulwark-samples-")); // from runs that somebody has made of them, and with what they name
  const samples = path.join(apart, "samples");
  cpSync(path.join(root, "samples"), samples, { recursive: true });
  for (const name of ["node_modules", "media"]) symlinkSync(path.join(root, name), path.join(apart, name), "junction");
  afterAll(() => rmSync(apart, { recursive: true, force: true }));
  it.each(readdirSync(samples).filter((name) => name.endsWith(".bulwark.jsonc")))("have nothing against the sample %s", async (name) => {
    const file = path.join(samples, name);
    const document = TextDocument.create(pathToFileURL(file).href, "bulwark-experiment", 1, readFileSync(file, "utf8"));
    // SVHN can neither be shipped nor fetched: the editor says in that sample where its files belong.
    const missing = name === "paper3-svhn.bulwark.jsonc" ? ["There is no data/svhn beside this file."] : [];
    expect((await experiments.diagnose(document)).map(({ message }) => message)).toEqual(missing);
  });
  const rest = '"seed": 1, "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }';
  const lists = { attacks: "attack", detectors: "detector", explanations: "explanation" } as const;
  it.each(Object.entries(lists))("take every key of an entry of %s, with its default", async (list, kind) => {
    const beside = Object.entries<{ default?: unknown }>(besideParameters[list as keyof typeof lists]);
    for (const { id, params } of entriesOf(generated as unknown as Catalog, kind)) {
      const given = [...Object.entries(params.properties), ...beside].flatMap(([key, { default: value }]) =>
        value === undefined || value === "" ? [] : [[key, value] as const],
      );
      const document = open(`{ ${rest}, "${list}": [${JSON.stringify({ kind: id, ...Object.fromEntries(given) })}] }`);
      const unknown = (await experiments.diagnose(document)).filter(({ code }) => code !== "RB002" && code !== "RB006");
      expect([id, ...unknown.map(({ message }) => message)]).toEqual([id]);
    }
  });
  it("take what stands beside the parameters of an attack at its place only", async () => {
    const document = open(`{ ${rest}, "train": { "quickAttack": { "kind": "fgsm", "knowledge": "both" } } }`);
    expect((await experiments.diagnose(document)).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^fgsm has no "knowledge"/),
    ]);
  });
});
