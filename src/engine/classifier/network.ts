import type { InputContract, KnownFrom } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { Choice, Finding } from "../../shared/results.ts";
import { freeze } from "../backends/index.ts";
import type { TrainingPlan } from "../define/index.ts";
import { type Images, type Logits, tf, type tfl } from "../tf.ts";
import type { Classifier } from "./classifier.ts";
import type { ForwardOnly } from "./forwardOnly.ts";
import { endsOf, runNetwork } from "./graph.ts";
import { networkInput } from "./input.ts";
import { layerSourceOf } from "./layers.ts";
import { logProbabilities } from "./logProbabilities.ts";
import { sliceSourceOf } from "./slices.ts";

export interface NetworkOptions {
  readonly contract: InputContract;
  readonly outputs: "logits" | "probabilities";
  /** The classes do not exclude each other. */
  readonly isMultiLabel?: boolean;
  /** How a training defence feeds the network and reads it; a plain network without. */
  readonly plan?: TrainingPlan;
  /** Height, width, channels of the images; from the contract, else from the network, when left out. */
  readonly inputShape?: readonly [number, number, number];
  readonly defenses?: readonly Choice[];
  readonly classNames?: readonly string[];
  readonly classNamesSource?: KnownFrom | null;
  readonly synsets?: readonly string[] | null;
  readonly contractSource?: KnownFrom;
  readonly findings?: readonly Finding[];
  /** Why the network gives scores only; absent for one that can be differentiated. */
  readonly forwardOnly?: ForwardOnly | undefined;
  /** Tell the backend that the weights stay as they are (default true); false while the network is being trained. */
  readonly freeze?: boolean;
}

/**
 * A classifier of images in [0,1] made of a layers model: the input contract and the defence's preparation in front, logits behind.
 * It owns the network: `dispose` frees it. @throws BulwarkError MODEL_INVALID for a network that is no image classifier.
 */
export function classifierOf(network: tfl.LayersModel, o: NetworkOptions): Classifier {
  const inputShape = o.inputShape ?? inputShapeOf(network, o.contract);
  const unfreeze = o.freeze === false ? () => {} : freeze(network);
  const evaluations = { forward: 0, gradient: 0 };
  const count = (images: number): void => {
    evaluations.forward += images;
  };
  const raw = (output: tf.Tensor): tf.Tensor => (o.outputs === "probabilities" ? logProbabilities(output) : output);
  const offset = o.contract.output?.labelOffset ?? 0;
  const logitsOf = (output: tf.Tensor): Logits => {
    const logits = o.plan ? o.plan.toLogits(raw(output)) : (raw(output) as Logits);
    return offset === 0 ? logits : tf.slice(logits, [0, offset]);
  };
  const outputOf = (x: Images): tf.Tensor => {
    count(x.shape[0]);
    return runNetwork(network, networkInput(x, o.contract, o.plan));
  };
  const { slices: cut, volumizer } = o.plan ?? {};
  const slices = cut && volumizer && sliceSourceOf(network, cut, volumizer, (x) => raw(outputOf(x)), offset);
  const classes = classesOf(network, o, inputShape, logitsOf);
  const names = o.classNames ?? o.contract.output?.classes;
  const classNames = names?.length === classes ? names : null;
  return {
    inputShape,
    classes,
    classNames: classNames ?? Array.from({ length: classes }, (_, i) => String(i)),
    classNamesKnown: classNames !== null,
    classNamesSource: classNames && (o.classNamesSource ?? null),
    synsets: o.synsets ?? null,
    logits: (x) => tf.tidy(() => logitsOf(outputOf(x))),
    ...(o.isMultiLabel ? { isMultiLabel: true } : {}),
    evaluations,
    randomised: false,
    ...(o.forwardOnly ? { forwardOnly: o.forwardOnly } : {}),
    layers: o.forwardOnly ? undefined : layerSourceOf({ network, contract: o.contract, plan: o.plan, logitsOf, count }),
    ...(slices ? { slices } : {}),
    contract: o.contract,
    contractSource: o.contractSource ?? { kind: "given", text: "the contract it was made with" },
    defenses: o.defenses ?? [],
    findings: o.findings ?? [],
    dispose: () => {
      unfreeze();
      network.dispose();
    },
  };
}

/** Number of classes: the last axis of the network's output, which a defence's aggregation keeps; one blank image settles the rest. */
function classesOf(
  network: tfl.LayersModel,
  o: NetworkOptions,
  [height, width, channels]: readonly [number, number, number],
  logitsOf: (output: tf.Tensor) => Logits,
): number {
  const declared = endsOf(network).output.shape.at(-1);
  const offset = o.contract.output?.labelOffset ?? 0;
  if (typeof declared === "number" && declared - offset > 1) return declared - offset;
  const tried = tf.tidy(() => {
    const blank: Images = tf.zeros([1, height, width, channels]);
    return logitsOf(runNetwork(network, networkInput(blank, o.contract, o.plan))).shape.at(-1) ?? 0;
  });
  if (tried > 1) return tried;
  throw new BulwarkError(
    "MODEL_INVALID",
    "The network gives one number, not one for every class.",
    "Use a network with at least two outputs.",
  );
}

/** Height, width and channels of the images that a plain network takes. @throws MODEL_INVALID where nothing says them */
export function inputShapeOf(network: tfl.LayersModel, contract: InputContract): [number, number, number] {
  const shape = endsOf(network).input.shape;
  const inner = contract.input.layout === "nchw" ? [shape[2], shape[3], shape[1]] : shape.slice(1);
  const [height, width] = contract.input.size ?? [inner[0], inner[1]];
  const named = contract.input.channels === undefined ? undefined : contract.input.channels === "gray" ? 1 : 3;
  const channels = inner[2] ?? named;
  if (shape.length !== 4 || !height || !width || !channels) {
    throw new BulwarkError(
      "MODEL_INVALID",
      `The network's input is [${shape.join(", ")}], which does not say the size of an image.`,
      "Give input.size and input.channels in the input contract.",
    );
  }
  return [height, width, channels];
}
