import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { attentionMap, layersOf } from "../../../../src/engine/attacks/attentionAugmented/attention.ts";
import { attentionArea, iou } from "../../../../src/engine/attention/area.ts";
import { scaledCells } from "../../../../src/engine/attention/overlap.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { Params } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Labels, tf } from "../../../../src/engine/tf.ts";
import { digits } from "./digits.ts";

const papernot = path.resolve(import.meta.dirname, "../../../../samples/models/papernot");
const count = 64;

beforeAll(() => useBackend("onnxruntime"));

/** The 10/64 most attended cells of each image, each for the class that the model sees in it. */
function attended(model: Classifier, images: Float32Array): Uint8Array[] {
  return tf.tidy(() => {
    const x = tf.tensor4d(images, [count, ...model.inputShape]);
    const classes = tf.argMax(model.logits(x), 1) as Labels;
    const map = attentionMap(layersOf(model), x, classes, model.layers?.defaultLayer ?? "");
    const cells = map.shape[1];
    const area = attentionArea(tf.reshape(map, [count, 1, cells]), { kind: "equalSize", count: scaledCells(10, cells) }).dataSync();
    return Array.from({ length: count }, (_, i) => Uint8Array.from(area.slice(i * cells, (i + 1) * cells)));
  });
}

interface Overlaps {
  /** IoU of what is attended before and after, by image. */
  readonly shares: readonly number[];
  readonly isBroken: readonly boolean[];
}
async function overlaps(model: Classifier, given: Params): Promise<Overlaps> {
  const batch = digits(count);
  const { entry: attack, params } = bind("attack", { kind: "attentionAugmented", eps: 0.2, steps: 10, ...given });
  const outcome = await attackBatch({ attack, params, model, batch, firstIndex: 0, seedName: "t" }, createContext());
  const [before, after] = [attended(model, batch.images), attended(model, outcome.adversarial)];
  return {
    shares: before.map((area, i) => iou(area, after[i] as Uint8Array) ?? 1),
    isBroken: outcome.records.map(({ success }) => success),
  };
}
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

it.each(["iterStepLL", "pgd"])("what is attended before and after overlaps less under A³ than under %s alone", async (base) => {
  const { classifier: model } = await openModel(papernot);
  const alone = await overlaps(model, { base, sigma: 0 });
  const augmented = await overlaps(model, { base });
  // A broken image is looked at for another class, which moves attention by itself: those that neither breaks are compared.
  const kept = alone.isBroken.flatMap((broken, i) => (broken || augmented.isBroken[i] ? [] : [i]));
  const of = ({ shares }: Overlaps): number => mean(kept.map((i) => shares[i] as number));
  expect(kept.length).toBeGreaterThan(20);
  expect(of(augmented)).toBeLessThan(of(alone) - 0.05);
  if (base === "iterStepLL") expect(mean(augmented.shares)).toBeLessThan(mean(alone.shares) - 0.05); // of all images
  model.dispose();
});
