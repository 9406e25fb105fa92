import type { BackendName } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { defended } from "../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import { type Bound, documented, type InferenceDefense, isInference, type Params } from "../../src/engine/define/index.ts";

export { cheapParams, outOfBounds } from "../../src/engine/conformance/check.ts";

import { createRandom } from "../../src/engine/random.ts";
import { bind } from "../../src/engine/registry.ts";
import { stackedPlan } from "../../src/engine/training/plan.ts";
import { noisy } from "../unit/engine/classifier/noisy.ts";
import { convNetwork } from "../unit/engine/fixtures.ts";

/** Backends that every machine has after `npm ci`. */
export const backends: readonly BackendName[] = ["cpu", "onnxruntime"];

type Shape = readonly [number, number, number];
const grey: Shape = [8, 8, 1];
const colour: Shape = [32, 32, 3];
const classes = 3;
const plainOf = (shape: Shape): Classifier =>
  classifierOf(convNetwork({ shape: [...shape], classes }), { contract: { input: {} }, outputs: "logits" });

function volumizedOf(inputShape: Shape, patch: number): Classifier {
  const defense = bind("defense", { kind: "volumizedCurriculum", patch });
  const plan = stackedPlan([defense], { inputShape, classes });
  const options = { contract: { input: {} }, outputs: "logits", plan, inputShape, defenses: [documented(defense)] } as const;
  return classifierOf(plan.network(convNetwork({ shape: [...inputShape], classes })), options);
}

function defendedBy(shape: Shape, ...chain: Bound<InferenceDefense>[]): Classifier {
  const rng = createRandom(6);
  return defended(plainOf(shape), chain, { random: (i) => rng.stream(String(i)) });
}
function inFront(kind: string, params: Params): Bound<InferenceDefense> {
  const bound = bind("defense", { kind, ...params });
  if (!isInference(bound)) throw new Error(`${kind} does not stand in front of a model`);
  return bound;
}

/** A model that entries are tried on, and where. */
export interface Subject {
  readonly backend: BackendName;
  readonly name: string;
  make(): Classifier;
}
const small: readonly Omit<Subject, "backend">[] = [
  { name: "a plain model, 8×8 grey", make: () => plainOf(grey) },
  { name: "a volumized model, 8×8 grey", make: () => volumizedOf(grey, 4) },
  { name: "a defended model, 8×8 grey", make: () => defendedBy(grey, inFront("bitDepth", { depth: 4 })) },
];
/** On the fast backend alone: the reference one takes minutes for them. */
const larger: readonly Omit<Subject, "backend">[] = [
  { name: "a randomised model, 8×8 grey", make: () => defendedBy(grey, noisy) },
  { name: "a plain model, 32×32 colour", make: () => plainOf(colour) },
  { name: "a volumized model, 32×32 colour", make: () => volumizedOf(colour, 16) },
  { name: "a defended model, 32×32 colour", make: () => defendedBy(colour, inFront("medianFilter", { window: 3 })) },
];
export const subjects: readonly Subject[] = [
  ...small.map((subject) => ({ ...subject, backend: "cpu" as const })),
  ...[...small, ...larger].map((subject) => ({ ...subject, backend: "onnxruntime" as const })),
];
export const subjectRows = subjects.map((subject) => [subject.backend, subject.name, subject] as const);
/** Sizes and channels that images of a defence or a measure may have. */
export const shapes: readonly Shape[] = [grey, colour];
