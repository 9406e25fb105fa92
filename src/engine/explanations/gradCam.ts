import { Type } from "@sinclair/typebox";
import { attentionArea } from "../attention/area.ts";
import { areaModeOf, areaParameters } from "../attention/areaParameters.ts";
import { gradCamMap, normaliseMap } from "../attention/gradCamMap.ts";
import { attentionLayer } from "../attention/layer.ts";
import { choice, defineExplanation, text } from "../define/index.ts";
import { tf } from "../tf.ts";

/** Where the network looks for a class, from the gradient of its logit at the last layer that has spatial extent. */
export const gradCam = defineExplanation({
  id: "gradCam",
  title: "Grad-CAM",
  paper: "Selvaraju et al. 2017",
  needs: "layers",
  evaluations: () => ({ forward: 1, gradient: 1 }),
  params: Type.Object({
    layer: text("", "Layer to look at; empty for the last one with spatial extent."),
    normalise: choice(["max", "minmax", "none"], "max", "Divide by the maximum, stretch between minimum and maximum, or leave as it is."),
    ...areaParameters,
  }),
  async explain(model, x, classIndex, params, ctx) {
    const source = model.layers;
    const layer = attentionLayer(source, params.layer, "Grad-CAM");
    if (!source) throw new Error("a model without layers has no layer of that name");
    await ctx.checkpoint();
    const raw = gradCamMap(source, x, classIndex, layer);
    const b = x.shape[0];
    const normalised = normaliseMap(raw, b, params.normalise);
    const map = tf.tidy(() => source.toImage(normalised, x));
    const largest = tf.tidy(() => tf.max(tf.reshape(raw, [b, -1]), 1));
    const degenerate = Array.from(await largest.data(), (value) => !(value > 0));
    const [n, h, w] = normalised.shape;
    const grid = { shape: n === b ? [h, w] : [n / b, h, w], values: Float32Array.from(await normalised.data()) };
    tf.dispose([raw, normalised, largest]);
    return { map, area: attentionArea(map, areaModeOf(params)), layer, degenerate, grid };
  },
});
