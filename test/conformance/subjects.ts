import type { TObject } from "@sinclair/typebox";
import type { BackendName } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { defended } from "../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import {
  type Bound,
  documented,
  type Entry,
  type InferenceDefense,
  isInference,
  type Params,
  resolveParams,
} from "../../src/engine/define/index.ts";
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

/** The entry's own quick parameters, completed. */
export const cheapParams = (entry: Entry): Params => resolveParams(entry.params, entry.cheap ?? {}, entry.id);

/** The quick parameters, and one set for each other option of each choice and for each switch. */
export function variants(entry: Entry): readonly (readonly [name: string, params: Params])[] {
  const cheap = cheapParams(entry);
  const others = Object.entries(entry.params.properties).flatMap(([key, property]): (readonly [string, Params])[] => {
    if (property["type"] === "boolean") return [[`${key} ${!cheap[key]}`, { ...cheap, [key]: !cheap[key] }]];
    if (!Array.isArray(property["enum"])) return [];
    const options = (property["enum"] as unknown[]).filter((option) => option !== cheap[key]);
    return options.map((option) => [`${key} ${String(option)}`, { ...cheap, [key]: option }]);
  });
  return [["its quick parameters", cheap], ...others];
}

/** Per numeric parameter: its minimum, and values that must be refused. */
export function outOfBounds(schema: TObject): Record<string, { minimum: number | undefined; outside: unknown[] }> {
  const found: Record<string, { minimum: number | undefined; outside: unknown[] }> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    const type: unknown = property["type"];
    const minimum: unknown = property["minimum"];
    const maximum: unknown = property["maximum"];
    const outside: unknown[] = [];
    if (type === "number" || type === "integer") outside.push("many");
    if (type === "integer") outside.push(Number(minimum ?? 0) + 0.5);
    if (typeof minimum === "number") outside.push(minimum - 1);
    if (typeof maximum === "number") outside.push(maximum + 1);
    if (Array.isArray(property["enum"])) outside.push("no such choice");
    if (type === "boolean") outside.push("perhaps");
    if (Array.isArray(property["anyOf"])) outside.push("no such choice", -1.5, -1000);
    found[key] = { minimum: typeof minimum === "number" ? minimum : undefined, outside };
  }
  return found;
}
