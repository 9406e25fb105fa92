import path from "node:path";
import { number } from "../../../shared/format.ts";
import type { PatchTransforms } from "../../../shared/patch.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { type AttackBatch, type AttackContext, defineAttack } from "../../define/index.ts";
import { paste } from "../../patches/paste.ts";
import { greyPatch, type Patch } from "../../patches/patch.ts";
import { randomPlacement, reach, refuseTransforms } from "../../patches/placement.ts";
import { patchPreparation, startOf, transformsOf } from "../../patches/preparation.ts";
import { warpOf } from "../../patches/warp.ts";
import type { Images } from "../../tf.ts";
import { targetLabel } from "../target.ts";
import { params } from "./params.ts";

/**
 * One patch for all images, trained for random rotations, scales and places, then pasted once on each image at a random one. What is
 * promised is where it changes the image, not by how much: within a square, and no more pixels than the patch can touch. A success is
 * any wrong prediction, also of a patch with a target (0H); images of the target class do not count.
 */
export const adversarialPatch = defineAttack({
  id: "adversarialPatch",
  title: "Adversarial patch",
  paper: "Brown et al. 2017",
  access: "gradients",
  iterative: true,
  params,
  label: (p) => (p.patch === "" ? `Patch of ${number(100 * p.area)} %, ${p.mode}${targetLabel(p)}` : `Patch ${path.basename(p.patch)}`),
  cheap: { steps: 6, batchSize: 6 },
  ball(p, { inputShape, prepared }) {
    const { pixels, side } = reach(prepared?.patch ?? greyPatch(p.shape, p.area, inputShape, null), transformsOf(p));
    return { norm: "l0", radius: pixels, window: side };
  },
  iterations: ({ steps }) => steps,
  evaluations: () => ({ forward: 1, gradient: 0 }),
  check(p, facts) {
    // How large a patch from a file is, the file tells; an area of 0 makes none, whatever it would aim at.
    if (p.patch === "" && p.area > 0) startOf(p, facts);
  },
  preparation: patchPreparation,
  async run(model, batch, p, ctx) {
    const patch = ctx.prepared?.patch;
    if (!patch) throw new Error("adversarialPatch runs with the patch of its preparation");
    if (patch.pixels.length === 0) return batch.images;
    refuseTransforms(patch, model.inputShape, transformsOf(p));
    return pasted(model, batch, patch, transformsOf(p), ctx);
  },
});

async function pasted(
  model: Classifier,
  batch: AttackBatch,
  patch: Patch,
  transforms: PatchTransforms,
  ctx: AttackContext,
): Promise<Images> {
  const shape = model.inputShape;
  const warps = Array.from({ length: batch.images.shape[0] }, (_, i) =>
    warpOf(patch, randomPlacement(patch, shape, transforms, ctx.random(i).stream("place")), shape),
  );
  const images = await paste(batch.images, patch, warps);
  const logits = model.logits(images);
  try {
    await ctx.iterate(images, logits);
    return images;
  } catch (stopped) {
    images.dispose();
    throw stopped;
  } finally {
    logits.dispose();
  }
}
