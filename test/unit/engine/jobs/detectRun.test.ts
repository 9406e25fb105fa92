import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { detectRun } from "../../../../src/engine/jobs/detectRun.ts";
import type { Engine } from "../../../../src/engine/session/engine.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { plainPlan } from "../../../../src/engine/training/plan.ts";
import { presets } from "../../../../src/engine/volumizer/presets.ts";
import { type VolumizerOptions, volumize } from "../../../../src/engine/volumizer/volumize.ts";
import { cividis } from "../../../../src/shared/colour.ts";
import { newWorkspace } from "../../../process/support.ts";

const workspace = newWorkspace();
const picture = workspace.file("picture.png");
/** 8×8 greys, all different, the largest 252. */
const greys = Array.from({ length: 64 }, (_, i) => ((i * 29) % 64) * 4);
beforeAll(async () => {
  await useBackend("cpu");
  await sharp(Buffer.from(greys), { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toFile(picture);
});
afterAll(() => workspace.remove());

const identity = { kernelInitializer: tfl.initializers.ones(), useBias: false, activation: "relu" } as const;
const contract = { input: {} };
/** A ReLU behind the picture itself: with one draw, the probability of a row is in proportion to its pixel. */
const flat = (): Classifier =>
  classifierOf(
    tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [8, 8, 1], filters: 1, kernelSize: 1, ...identity, name: "unit" }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 3 }),
      ],
    }),
    { contract, outputs: "logits" },
  );
function volumized(): Classifier {
  const volumizer: VolumizerOptions = { patch: 4, ...presets.paper };
  const network = tfl.sequential({
    layers: [
      tfl.layers.conv3d({ inputShape: [4, 4, 4, 1], filters: 1, kernelSize: [1, 1, 1], ...identity, name: "unit" }),
      tfl.layers.reshape({ targetShape: [4, 16] }),
      tfl.layers.dense({ units: 3 }),
    ],
  });
  const prepare = (x: Parameters<typeof volumize>[0]) => volumize(x, volumizer).volume;
  const plan = { ...plainPlan, prepare, toLogits: (output: tf.Tensor) => tf.mean(output, 1) as tf.Tensor2D, volumizer };
  return classifierOf(network, { contract, outputs: "logits", plan, inputShape: [8, 8, 1] });
}

describe.each([
  ["plain", flat],
  ["volumized", volumized],
])("the map of a %s network", (name, make) => {
  it("shows each place's probability where it lies in the picture", async () => {
    const model = make();
    const run = workspace.file(name);
    const about = { image: picture, model: "", fit: null, defenses: [], seed: 1, run, iteration: null, folder: "" };
    // 1/64 of the rows: a single draw.
    const detector = { id: "varianceMinimization", params: { ratio: 1 / 64, cMode: "perUnit", runs: 5 } };
    const engine = { model: async () => model } as unknown as Engine;
    const { clean, adversarial, largest } = await detectRun({ ...about, detector }, engine, createContext());
    expect(adversarial).toBeNull();
    expect(clean.units).toMatchObject([{ layer: "unit", rows: 64, channels: 1, c: 1 }]);
    const sum = greys.reduce((a, b) => a + b, 0);
    expect(largest[0]).toBeCloseTo(252 / sum, 6);
    const file = path.join(run, clean.units[0]?.map ?? "");
    const colours = [...(await sharp(file).removeAlpha().raw().toBuffer())];
    const wanted = greys.flatMap((grey) => [...cividis(grey / 252)]);
    expect(Math.max(...colours.map((byte, i) => Math.abs(byte - (wanted[i] ?? 0))))).toBeLessThanOrEqual(1);
    model.dispose();
  });
});
