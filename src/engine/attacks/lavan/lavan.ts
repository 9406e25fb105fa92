import { number } from "../../../shared/format.ts";
import { defineAttack } from "../../define/index.ts";
import { checkTarget, targetLabel, targetOf } from "../target.ts";
import { params } from "./params.ts";
import { checkPlace, sideOf } from "./place.ts";
import { worstNoise } from "./search.ts";

const placeLabels = { border: "", touching: ", touching a border", anywhere: ", anywhere", slice: ", in one slice", at: ", at one place" };

/**
 * Localized and visible noise: a square of the image is replaced by values found for this image alone, x' = (1 − m)·x + m·δ with any δ in
 * [0,1], by ascending z_target − z_label, or without a target the best other logit less that of the label. Unlike a universal patch it
 * holds for one image and one place, and it is the stronger attack for it. Defences in front can use the mask m.
 */
export const lavan = defineAttack({
  id: "lavan",
  title: "LaVAN: localized and visible adversarial noise",
  paper: "Karmon et al. 2018",
  access: "gradients",
  iterative: true,
  params,
  label: (p) =>
    `LaVAN of ${number(100 * p.size)} %${placeLabels[p.place]}${p.places > 1 ? `, worst of ${p.places} places` : ""}${targetLabel(p)}`,
  cheap: { steps: 4, grid: 4 },
  ball(p, { inputShape }) {
    const side = sideOf(p, inputShape);
    return { norm: "l0", radius: side * side, window: side };
  },
  iterations: ({ steps, places }) => (steps + 1) * places - 1,
  evaluations: ({ steps, places }) => ({ forward: places, gradient: steps * places }),
  target: targetOf,
  check(p, facts) {
    checkPlace(p, facts);
    checkTarget(p, facts);
  },
  async run(model, batch, p, ctx) {
    checkPlace(p, model);
    return worstNoise(model, batch, p, ctx);
  },
});
