import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, expect, it } from "vitest";
import { overlayBytes } from "../../../../src/engine/attention/colour.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { explainImages } from "../../../../src/engine/evaluation/explain.ts";
import type { RunEnvironment } from "../../../../src/engine/experiment/environment.ts";
import { attentionByEpoch, type Watched } from "../../../../src/engine/experiment/stages/watchTraining.ts";
import { predict } from "../../../../src/engine/harness/predict.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { bind } from "../../../../src/engine/registry.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import { convNetwork, randomBatch } from "../fixtures.ts";

await useBackend("cpu");
const folder = mkdtempSync(path.join(tmpdir(), "watch-"));
afterAll(() => rmSync(folder, { recursive: true }));

const classNames = ["left", "middle", "right"];
const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits", classNames });
const batch = randomBatch(9, [8, 8, 1], 3);
const image = (index: number): Float32Array => batch.images.slice(index * 64, (index + 1) * 64);
const source: Watched["images"] = {
  size: 9,
  async read(indices) {
    const places = Array.from(indices);
    const images = Float32Array.from(places.flatMap((index) => [...image(index)]));
    return { images, labels: Int32Array.from(places, (index) => batch.labels[index] ?? -1), n: places.length };
  },
};
const ctx = createContext();
type Attention = Extract<RunEvent, { kind: "attention" }>;

async function watch(watched: readonly number[], craft?: Watched["plan"]["craft"]): Promise<Attention["images"]> {
  const told: RunEvent[] = [];
  const env = { store: { file: (name: string) => path.join(folder, name) }, emit: (event: RunEvent) => told.push(event), ctx };
  const arm = { name: "an arm", train: { watch: watched } } as unknown as Watched["arm"];
  const plan = craft ? { craft } : {};
  await attentionByEpoch({ arm, plan, images: source, classifier: () => model }, env as unknown as RunEnvironment)(3);
  return (told[0] as Attention).images;
}
const shown = async (file: string): Promise<number[]> => Array.from(await sharp(path.join(folder, file)).raw().toBuffer());

it("draws the evidence for the label of the images that are named, beside the image, with what was predicted", async () => {
  const images = await watch([4, 2, 4]);
  expect(images.map(({ index, attacked }) => [index, attacked])).toEqual([
    [4, undefined],
    [2, undefined],
  ]);
  for (const { index, file, clean, prediction } of images) {
    const own = await explainImages(model, image(index), { id: "gradCam", params: {} }, ctx, { classIndex: batch.labels[index] ?? -1 });
    expect(await shown(file)).toEqual(Array.from(overlayBytes(own.map(0), image(index), 1)));
    const grey = (await shown(clean ?? "")).filter((_, i) => i % 3 === 0); // sharp gives three equal channels
    expect(grey).toEqual(Array.from(image(index), (value) => Math.round(255 * value)));
    const best = own.predictions[0] ?? -1;
    expect(prediction).toEqual({ name: classNames[best], probability: own.scores[best] });
  }
});

it("takes images of different classes where none is named", async () => {
  expect((await watch([])).map(({ index }) => index)).toEqual([0, 1, 2]);
});

it("shows the adversarial image of the same picture where the training crafts some", async () => {
  const craft = bind("attack", { kind: "bim", eps: 0.2, steps: 3 });
  const predictions = await predict(model, batch.images);
  const index = predictions.findIndex((prediction, i) => prediction === batch.labels[i]); // the harness attacks no other
  const [first] = await watch([index], craft);
  // The same attack by the harness, which finds no other start than the image itself.
  const alone = { images: image(index), labels: batch.labels.slice(index, index + 1), n: 1 };
  const attacked = await attackBatch(
    { attack: craft.entry, params: craft.params, model, batch: alone, firstIndex: index, seedName: "x" },
    ctx,
  );
  const own = await explainImages(model, attacked.adversarial, { id: "gradCam", params: {} }, ctx, {
    classIndex: batch.labels[index] ?? -1,
  });
  expect(await shown(first?.attacked?.file ?? "")).toEqual(Array.from(overlayBytes(own.map(0), attacked.adversarial, 1)));
  expect(first?.attacked?.prediction?.name).toBe(classNames[own.predictions[0] ?? -1]);
  expect(first?.attacked?.file).not.toBe(first?.file);
});
