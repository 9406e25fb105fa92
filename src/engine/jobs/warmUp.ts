import type { RunContext } from "../context.ts";
import { resolveParams } from "../define/index.ts";
import { explainImages, usualExplanation } from "../evaluation/explain.ts";
import { probabilities } from "../harness/predict.ts";
import { attackBatch } from "../harness/runAttack.ts";
import { find } from "../registry.ts";
import type { Engine } from "../session/engine.ts";

/** Loads a model and does once, on a blank picture, what an attack on an image does, or where there are no gradients a prediction: the backend has then compiled its graphs. */
export async function warmUp(path: string, engine: Engine, ctx: RunContext): Promise<{ readonly classes: readonly string[] }> {
  const model = await engine.model(path);
  const [height, width, channels] = model.inputShape;
  const images = new Float32Array(height * width * channels).fill(0.5);
  if (model.forwardOnly) {
    await probabilities(model, images);
    return { classes: model.classNames };
  }
  const attack = find("attack", "fgsm");
  const params = resolveParams(attack.params, {}, attack.id);
  const batch = { images, labels: Int32Array.of(0), n: 1 };
  await attackBatch({ attack, params, model, batch, firstIndex: 0, seedName: "warmUp", trace: () => undefined }, ctx);
  const usual = usualExplanation(model);
  await explainImages(model, images, { id: usual.id, params: usual.cheap ?? {} }, ctx);
  return { classes: model.classNames };
}
