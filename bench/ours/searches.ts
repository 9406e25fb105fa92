import { nPixel } from "../../src/engine/attacks/pixels/nPixel.ts";
import { createContext, streamContext } from "../../src/engine/context.ts";
import { resolveParams } from "../../src/engine/define/index.ts";
import { gradCam } from "../../src/engine/explanations/gradCam.ts";
import { attackBatch } from "../../src/engine/harness/runAttack.ts";
import { type Images, type Labels, tf } from "../../src/engine/tf.ts";
import { classifier, noise } from "./nets.ts";
import type { Row, Work } from "./work.ts";

/** The N-pixel attack as it is run, or Grad-CAM maps of a batch and their attention areas. */
export const searches = (row: Row): Promise<Work> => (row.task === "npixel" ? search(row) : maps(row));

async function search(row: Row): Promise<Work> {
  const model = await classifier(row);
  const { images, n } = noise(row.images, model.inputShape, model.classes);
  // Labels are what the network says, so that each image is searched; no candidate brings a class under 5 %, so that none ends early.
  const labels = tf.tidy(() => Int32Array.from(tf.argMax(model.logits(tf.tensor4d(images, [n, ...model.inputShape])), 1).dataSync()));
  const params = resolveParams(nPixel.params, { popSize: row.population, maxGen: row.generations, stopMode: "paper5pct" }, nPixel.id);
  const attacked = { attack: nPixel, params, model, batch: { images, labels, n }, firstIndex: 0, seedName: "bench" };
  return {
    run: async () => {
      const { forwardEvaluations } = await attackBatch(attacked, createContext());
      const least = row.images * row.population * (row.generations + 1);
      if (forwardEvaluations < least) throw new Error(`the search ended after ${forwardEvaluations} of ${least} candidates`);
    },
  };
}

async function maps(row: Row): Promise<Work> {
  const model = await classifier(row);
  const batch = noise(row.batch, model.inputShape, model.classes);
  const x: Images = tf.tensor4d(batch.images, [row.batch, ...model.inputShape]);
  const labels: Labels = tf.tensor1d(batch.labels, "int32");
  const params = resolveParams(gradCam.params, {}, gradCam.id);
  const ctx = createContext();
  const streams = streamContext(ctx, (i) => ctx.rng.stream(String(i)));
  return {
    facts: { layer: model.layers?.defaultLayer },
    run: async () => {
      const { map } = await gradCam.explain(model, x, labels, params, streams);
      await map.data();
      map.dispose();
    },
  };
}
