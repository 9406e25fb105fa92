import { spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import { attacks } from "../../src/engine/registry.ts";
import type { Pick } from "../../src/shared/cards.ts";
import { type AttackImageResult, requests } from "../../src/shared/protocol.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import { dist, type EngineHandle, newWorkspace, startEngine, type Workspace } from "./support.ts";

const samples = path.resolve(import.meta.dirname, "../../samples");
const model = path.join(samples, "models/papernot");
/** A name that a shell would take apart. */
const name = "it's seven $HOME.png";

let workspace: Workspace;
let engine: EngineHandle;
beforeAll(async () => {
  workspace = newWorkspace();
  copyFileSync(path.join(samples, "seven.png"), workspace.file(name));
  engine = startEngine(workspace);
  await engine.handshake("onnxruntime");
});
afterAll(() => {
  engine.end();
  workspace.remove();
});

/** Pastes a line into a shell in which `bulwark` is the bundled command line. */
function paste(line: string, out: string): AttackDocument {
  const script = `bulwark() { '${process.execPath}' '${path.join(dist, "cli.cjs")}' "$@"; }; ${line} --out ${out} --json --quiet`;
  const done = spawnSync("sh", ["-c", script], { cwd: workspace.directory, encoding: "utf8" });
  expect([done.status, done.stderr.replace(/^note: .*\n/gm, "")]).toEqual([0, ""]); // --quiet keeps notes
  return JSON.parse(done.stdout) as AttackDocument;
}

const oneBit = { id: "bitDepth", params: { depth: 1 } };
const median = { id: "medianFilter", params: { window: 3 } };
const steps = { eps: 0.3, steps: 5 };
const small = { popSize: 6, maxGen: 4 };
const cases: readonly (readonly [what: string, attack: Pick, defenses: readonly Pick[]])[] = [
  ["fgsm", { id: "fgsm", params: { eps: 8 / 255 } }, []],
  ["pgd, a random start", { id: "pgd", params: steps }, []],
  [
    "pgd, targeted in L2 with the margin",
    { id: "pgd", params: { ...steps, eps: 2, norm: "l2", target: 3, loss: "margin", restarts: 2 } },
    [],
  ],
  ["pgd through a list of defences", { id: "pgd", params: steps }, [median, oneBit]],
  ["pgd through one defence twice", { id: "pgd", params: steps }, [{ id: "bitDepth", params: { depth: 3 } }, oneBit]],
  [
    "attentionAugmented around another than the default",
    { id: "attentionAugmented", params: { base: { kind: "cwPgd", confidence: 1 }, eps: 0.3, reduction: "mean" } },
    [median],
  ],
  ["blackBox", { id: "blackBox", params: { initialImages: 1, augmentations: 1, epochs: 2 } }, []],
  ["bim with momentum", { id: "bim", params: { ...steps, momentum: 1 } }, []],
  ["cwPgd", { id: "cwPgd", params: { ...steps, confidence: 1 } }, [oneBit]],
  ["deepFool through a defence", { id: "deepFool", params: { steps: 5 } }, [oneBit]],
  ["carliniWagner", { id: "carliniWagner", params: { binarySearchSteps: 2, steps: 10, target: -1 } }, []],
  ["jsma towards a class that is drawn", { id: "jsma", params: { gamma: 0.03 } }, []],
  ["jsma on probabilities", { id: "jsma", params: { gamma: 0.03, theta: -1, target: 3, on: "probabilities" } }, [median]],
  ["stepLL", { id: "stepLL", params: {} }, []],
  ["iterStepLL", { id: "iterStepLL", params: { eps: 0.3 } }, [median]],
  ["nPixel", { id: "nPixel", params: small }, []],
  ["nPixel through a defence", { id: "nPixel", params: small }, [oneBit]],
  ["greedyPixels", { id: "greedyPixels", params: { pixels: 4, candidates: 8, random: 4 } }, []],
  ["sparseRs, a patch", { id: "sparseRs", params: { mode: "patch", queries: 20 } }, [oneBit]],
  ["lavan, a random target", { id: "lavan", params: { size: 0.3, steps: 5 } }, []],
  ["lavan, the worst of two places", { id: "lavan", params: { size: 0.3, steps: 5, target: -1, places: 2 } }, [median]],
  ["adversarialPatch", { id: "adversarialPatch", params: { steps: 3, batchSize: 4 } }, []],
];
const arraysOf = async (directory: string): Promise<unknown> => {
  const { clean, adversarial } = await readNpz(path.join(directory, "adversarial.npz"));
  return { clean: clean?.data, adversarial: adversarial?.data };
};

describe("the command line that the Inspector copies", () => {
  it("is tried for every attack", () =>
    expect([...new Set(cases.map(([, { id }]) => id))].sort()).toEqual(attacks.map(({ id }) => id).sort()));

  it.each(cases)("runs, and gives the same images: %s", async (what, attack, defenses) => {
    const out = what.replaceAll(/\W+/g, "-");
    const directory = workspace.file(`inspector-${out}`);
    const request = { image: workspace.file(name), model, attack, defenses, seed: 7, directory, token: out };
    const inspected: AttackImageResult = await engine.request(requests.attackImage, request);
    const { images, defenses: through, ...document } = paste(inspected.commandLine, out);
    expect(document.attack).toEqual(inspected.attack);
    if (attacks.find(({ id }) => id === attack.id)?.preparation) return; // made anew on the picture, with random numbers of its own
    expect(through ?? []).toEqual(defenses);
    expect(document.how ?? null).toEqual(inspected.how);
    expect(images[0]).toMatchObject({ prediction: inspected.after.prediction.index, success: inspected.success });
    expect(await arraysOf(workspace.file(out))).toEqual(await arraysOf(directory));
  });

  it.each([
    ["a fit and a label that were chosen", { fit: "contain", label: 7 }, /--label=7 --fit contain --backend onnxruntime --seed 7$/],
    ["the fit of the contract and no label", {}, /--no-label --fit cover /],
  ] as const)("carries what the run used: %s", async (what, asked, words) => {
    const image = workspace.file("wide.png");
    await sharp(path.join(samples, "seven.png")).resize({ width: 50, height: 28, fit: "contain" }).toFile(image);
    const out = what.replaceAll(" ", "-");
    const directory = workspace.file(`inspector-${out}`);
    const attack = { id: "pgd", params: steps };
    const inspected = await engine.request(requests.attackImage, { image, model, attack, seed: 7, directory, token: out, ...asked });
    expect(inspected.commandLine).toMatch(words);
    const [pasted] = paste(inspected.commandLine, out).images;
    expect(pasted).toMatchObject({ label: inspected.label.index, success: inspected.success });
    expect(pasted?.labelSource ?? null).toEqual(inspected.labelSource ?? null);
    expect(await arraysOf(workspace.file(out))).toEqual(await arraysOf(directory));
  });

  it("says the label that was chosen after the attack where that changes no picture", async () => {
    const directory = workspace.file("labelled-later");
    const request = { image: workspace.file(name), model, attack: { id: "fgsm", params: { eps: 0.1 } }, seed: 7, directory };
    await engine.request(requests.attackImage, { ...request, token: "later" });
    const own = await engine.request(requests.labelRun, { directory, label: 7 });
    expect(own.commandLine).toContain(" --label=7 ");
    expect((await engine.request(requests.labelRun, { directory, label: 3 })).commandLine).toContain(" --no-label ");
  });
});
