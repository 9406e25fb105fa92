import { type Static, Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { attentionArea } from "../attention/area.ts";
import { gradCamMap, normaliseMap } from "../attention/gradCamMap.ts";
import { attentionLayer } from "../attention/layer.ts";
import type { LayerPass, LayerSource } from "../classifier/classifier.ts";
import { layerSourceOf, type NetworkPass } from "../classifier/layers.ts";
import {
  type Bound,
  choice,
  defineTrainingDefense,
  entryOf,
  type Losses,
  labelOf,
  num,
  type TrainingDefense,
  type TrainingPlan,
  type TrainingStep,
  text,
  withStrength,
} from "../define/index.ts";
import { preservationLoss, rectificationLoss } from "../losses/attention.ts";
import { multiLabelSoftMargin } from "../losses/multiLabelSoftMargin.ts";
import { apart, type Images, type Logits, tf, type tfl } from "../tf.ts";
import { afterNetwork } from "../training/plan.ts";
import { strengthFields, strengthOf } from "./innerAttack.ts";

const id = "attentionRectification";
const params = Type.Object({
  base: entryOf(
    "defense",
    { kind: "adversarialTraining" },
    "The training on adversarial images that the two losses are added to. The three parameters below are its own; write others inside it.",
  ),
  ...strengthFields,
  alpha: num(0.01, "Weight of rectification: without its attention area an image is to lose its class.", { min: 0 }),
  beta: num(0.01, "Weight of preservation: an adversarial image is to draw the same attention as the clean one.", { min: 0 }),
  lc: choice(
    ["softmaxCE", "mlsm"],
    "softmaxCE",
    "Classification loss: that of the base, or a multi-label soft margin (a sigmoid for each class) in its place.",
  ),
  layer: text("", "Layer whose attention counts; empty for the last one with spatial extent.", { advanced: true }),
});
type Fields = Static<typeof params>;

/**
 * Attention rectification and preservation (AAD) over training on adversarial images: L_c + α·L_r + β·L_p with
 * L_r = −[‖f(x) − f(x^m)‖₂ + ‖f(x_adv) − f(x_adv^m)‖₂], f the class probabilities and x^m the image without its attention area, and
 * L_p = ‖g(x) − g(x_adv)‖₁ over the cells of the Grad-CAM maps of the label's class, each divided by its maximum.
 *
 * The areas and x_adv are constants. The maps are not: L_p holds first derivatives of the head, and its gradient by the weights is
 * exact by differentiating these once more, whatever the head is. Closed forms of α for a global average or dense layers would be a second
 * and a third way to the same numbers for at most 4 % of a step: what both maps and their second derivatives take of LeNet's, with PGD-10
 * inside (`node bench/defenses.mjs`). With weights 0 it is its base, to the bit.
 * Source: Wu et al. 2022, section 4. All passes of a step have the same dropout masks; batch normalisation takes the statistics of each
 * pass, and only the base's passes count in the running averages.
 * @throws MODEL_INVALID for a network without a convolution, PARAMETER_INVALID for a base that does not train on adversarial images
 */
export const attentionRectification = defineTrainingDefense({
  id,
  title: "Attention rectification and preservation",
  paper: "Wu et al. 2022",
  params,
  label: (p) => `${labelOf(baseOf(p))}, attention rectified and preserved`,
  cheap: { eps: 0.02, steps: 2 },
  plan(before, p, facts) {
    const base = baseOf(p);
    const plan = base.entry.plan(before, base.params, facts);
    if (!plan.craft) throw noAdversarialImages(base.id);
    const isBase = p.alpha === 0 && p.beta === 0;
    return {
      ...plan,
      network: afterNetwork(plan, (network) => {
        layerOf(network, plan, p.layer);
        return network;
      }),
      ...(isBase ? {} : { remark: (network, whole) => `attention is read at ${layerOf(network, whole, p.layer)}${gradientNote}` }),
      check(whole) {
        plan.check?.(whole);
        if (p.lc === "mlsm" && whole.slices) throw marginOfSlices();
      },
      stepCost: isBase ? plan.stepCost : before.stepCost * (p.alpha > 0 ? 4 : 2), // passes; the base's are among them
      loss(step) {
        const own = p.lc === "mlsm" ? { ...step, criterion: marginOf } : step;
        return isBase || !step.crafted ? plan.loss(own) : withAttention(plan, own, step.crafted, p);
      },
    };
  },
});

const gradientNote = "; the gradient of the preservation loss is exact, by nested gradients";

/** The chosen base, strong as the parameters beside it say. @throws PARAMETER_INVALID for a defence in front of a network, or itself */
function baseOf(p: Fields): Bound<TrainingDefense> {
  const base = p.base as Bound<TrainingDefense>;
  if (base.entry.kind !== "training" || base.id === id) throw noAdversarialImages(base.id);
  return withStrength(base, strengthOf(p), { owner: id, place: "base", words: "the base" });
}

const noAdversarialImages = (base: string): BulwarkError =>
  new BulwarkError(
    "PARAMETER_INVALID",
    `${id} stands over a training on adversarial images, and ${base} is none.`,
    "Set base to adversarialTraining or adversarialLogitPairing.",
  );

/** The layer of the network that attention is read at. @throws MODEL_INVALID, PARAMETER_INVALID where there is none */
function layerOf(network: tfl.LayersModel, plan: TrainingPlan, name: string): string {
  const logitsOf = (output: tf.Tensor): Logits => plan.toLogits(output);
  const layers = layerSourceOf({ network, contract: { input: {} }, plan, logitsOf, count: () => {} });
  if (!layers.all.some(({ type }) => type.includes("Conv")))
    throw new BulwarkError(
      "MODEL_INVALID",
      `${network.name} has no convolution, so there is no attention that ${id} could work on.`,
      "Choose a model with convolutions, or another defence.",
    );
  return attentionLayer(layers, name, id);
}

const marginOf = (output: tf.Tensor, targets: tf.Tensor2D): tf.Scalar => multiLabelSoftMargin(output as Logits, targets);
const marginOfSlices = (): BulwarkError =>
  new BulwarkError(
    "EXPERIMENT_INVALID",
    `${id}: lc mlsm judges an image as a whole, and a volumized network judges its slices.`,
    "Set lc to softmaxCE.",
  );

/** The base's loss, and the two losses of attention beside it. */
function withAttention(base: TrainingPlan, step: TrainingStep, crafted: Images, { alpha, beta, layer: name }: Fields): Losses {
  const { images, layers, criterionScale } = step;
  const layer = attentionLayer(layers, name, id);
  const passes = new Map<Images, NetworkPass>(); // those of the base serve the attention losses too
  const forward: TrainingStep["forward"] = (x, o) => {
    if (o) return step.forward(x, o);
    const pass = passes.get(x) ?? step.forward(x, { take: [layer] });
    passes.set(x, pass);
    return pass;
  };
  const own = base.loss({ ...step, forward });
  const look = (x: Images) => lookAt(x, passes.get(x) ?? layers.run(x, { take: [layer] }), { layer, step, isDifferentiated: beta > 0 });
  const [clean, adversarial] = [look(images), look(crafted)];
  const scaled = (term: tf.Scalar): tf.Scalar => tf.mul(term, criterionScale);
  const rectified = () => tf.add<tf.Scalar>(rectification(clean, layers), rectification(adversarial, layers));
  const preserved = () => {
    const [g, gAdversarial] = [clean, adversarial].map(({ x, map }) => layers.inPlace(map, x)) as [tf.Tensor3D, tf.Tensor3D];
    return preservationLoss(g, gAdversarial, images.shape[0]);
  };
  const terms = [
    ...(alpha > 0 ? [{ name: "rectification", weight: alpha, value: scaled(rectified()) }] : []),
    ...(beta > 0 ? [{ name: "preservation", weight: beta, value: scaled(preserved()) }] : []),
  ];
  const total = terms.reduce((sum, { weight, value }) => tf.add(sum, tf.mul(value, weight)), own.total);
  const parts = Object.fromEntries(terms.map(({ name, value }) => [name, value]));
  return { ...own, total, parts: { ...(own.parts ?? { classification: own.total }), ...parts } };
}

/** Images, what the network says of them, and where it looks for their labels. */
interface Look {
  readonly x: Images;
  readonly logits: Logits;
  /** Grad-CAM of the label's class, divided by its maximum, at the layer's resolution. */
  readonly map: tf.Tensor3D;
}
function lookAt(
  x: Images,
  pass: LayerPass,
  o: { readonly layer: string; readonly step: TrainingStep; readonly isDifferentiated: boolean },
): Look {
  const { layers, labels } = o.step;
  const run: LayerSource["run"] = (input, of) => (of?.from ? layers.run(input, of) : pass);
  const map = () => normaliseMap(gradCamMap({ run }, x, labels, o.layer), x.shape[0], "max");
  return { x, logits: pass.logits, map: o.isDifferentiated ? map() : apart(map) };
}

/** Without its attention area, which is a constant, an image is to lose its class. */
function rectification({ x, logits, map }: Look, layers: LayerSource): tf.Scalar {
  const masked = apart(() => {
    const area = attentionArea(layers.toImage(map, x), { kind: "mean" });
    return tf.mul<Images>(x, tf.sub(1, tf.expandDims(area, 3)));
  });
  return rectificationLoss(tf.softmax(logits), tf.softmax(layers.run(masked).logits));
}
