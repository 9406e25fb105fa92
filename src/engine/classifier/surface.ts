import type { Attack, Bound, Detector } from "../define/index.ts";
import type { Streams } from "../random.ts";
import { averaged } from "./averaged.ts";
import type { Classifier } from "./classifier.ts";
import { evading } from "./evading.ts";

/** What an attacker knows: nothing of what stands in front of the network, or everything. */
export type Knowledge = "static" | "adaptive";

export interface SurfaceOptions {
  /** What the attack takes of the model (`asks`); gradients when left out. It changes the words alone. */
  readonly asked?: Attack["access"];
  /** Passes that an adaptive attacker averages over where the model is randomised; 20 when left out. */
  readonly passes?: number;
  /** A detector that an adaptive attacker has to evade as well, and how much that counts beside the model's own loss. */
  readonly detector?: { readonly detector: Bound<Detector>; readonly weight: number; readonly streams: Streams };
}
const usualPasses = 20;

/**
 * The model that an attacker with this knowledge attacks, and how it was built, in words for the report: "BPDA through bit-depth reduction,
 * 20 passes averaged". An attack sees nothing else of a defence; one that takes no gradient has the scores, or the predictions, of all of it.
 */
export function attackSurface(
  model: Classifier,
  knowledge: Knowledge,
  { asked = "gradients", passes = usualPasses, detector }: SurfaceOptions = {},
): { readonly model: Classifier; readonly how: string } {
  if (knowledge === "static") return model.bare ? { model: model.bare, how: "the same network with nothing in front" } : bareSurface(model);
  const averages = model.randomised && passes > 1;
  const surface = averages ? averaged(model, passes) : model;
  const words = [
    ...(model.passage ? [asked === "gradients" ? model.passage : withoutGradients[asked]] : []),
    ...(averages ? [`${passes} passes averaged`] : []),
    ...(detector ? [`evading ${detector.detector.entry.title}`] : []),
  ];
  if (words.length === 0) return bareSurface(model);
  return { model: detector ? evading(surface, detector.detector, detector.weight, detector.streams) : surface, how: words.join(", ") };
}

const withoutGradients = { scores: "scores of the defended model", labels: "predictions of the defended model" };

const bareSurface = (model: Classifier) => ({ model, how: "the model itself" });
