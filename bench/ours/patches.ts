import { createContext } from "../../src/engine/context.ts";
import { greyPatch } from "../../src/engine/patches/patch.ts";
import { trainPatch } from "../../src/engine/patches/train.ts";
import { classifier, noise } from "./nets.ts";
import type { Row, Work } from "./work.ts";

/** One step of a patch's training, targeted: pasted on 16 images at random places, turned and scaled, its colours moved by Adam. */
export async function patches(row: Row): Promise<Work> {
  const model = await classifier(row);
  const batch = noise(row.batch, model.inputShape, model.classes);
  const source = { size: row.batch, read: async () => batch };
  let [stepped, go] = [(): void => undefined, (): void => undefined];
  /** Training waits after every step for the next call. */
  const onStep = (): Promise<void> => {
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    stepped();
    return waiting;
  };
  const started = {
    model,
    images: source,
    patch: greyPatch("disc", 0.1, model.inputShape, 3),
    transforms: { rotation: 45, scaleMin: 0.9, scaleMax: 1.1 },
    steps: Number.MAX_SAFE_INTEGER,
    batchSize: row.batch,
    learningRate: 0.05,
    onStep,
  };
  let training: Promise<unknown> | undefined;
  return {
    run: async () => {
      const step = new Promise<void>((resolve) => {
        stepped = resolve;
      });
      if (training) go();
      training ??= trainPatch(started, createContext());
      await Promise.race([step, training]); // a failed training is not waited for
    },
  };
}
