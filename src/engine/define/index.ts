import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { BulwarkError } from "../../shared/errors.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Patch } from "../patches/patch.ts";
import type { PatchProgress, PatchWatcher, TrainedPatch } from "../patches/train.ts";
import type { Random } from "../random.ts";
import type { Images, Labels, Logits, tf, tfl } from "../tf.ts";
import type { ImageSource } from "../training/feed.ts";

// ── parameters ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
interface NumberOptions {
  readonly min?: number;
  readonly max?: number;
  /** Shown in forms and docs, such as "pixels" or "of 1". */
  readonly unit?: string;
  /** Shown under "More" in forms. */
  readonly advanced?: boolean;
}
const numberOptions = (value: number, description: string, o: NumberOptions) => ({
  default: value,
  description,
  ...(o.min === undefined ? {} : { minimum: o.min }),
  ...(o.max === undefined ? {} : { maximum: o.max }),
  ...(o.unit === undefined ? {} : { unit: o.unit }),
  ...(o.advanced ? { advanced: true } : {}),
});
/** A real parameter with its default. */
export const num = (value: number, description: string, options: NumberOptions = {}) =>
  Type.Number(numberOptions(value, description, options));
/** A whole-number parameter with its default. */
export const int = (value: number, description: string, options: NumberOptions = {}) =>
  Type.Integer(numberOptions(value, description, options));
export const bool = (value: boolean, description: string) => Type.Boolean({ default: value, description });
export const text = (value: string, description: string) => Type.String({ default: value, description });
/** One of a few named options; the first is not special, `value` is the default. */
export const choice = <const T extends readonly string[]>(options: T, value: T[number], description: string) =>
  Type.Unsafe<T[number]>({ type: "string", enum: options, default: value, description });
/** A parameter that may be left out altogether. */
export const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);

export type Params = Readonly<Record<string, unknown>>;

/** Fills in the values of a preset, then defaults, and checks; `owner` names the entry in the error ("pgd"). Unknown keys and values out of bounds raise PARAMETER_INVALID. */
export function resolveParams<P extends TObject>(schema: P, given: Params, owner: string): Static<P> {
  for (const key of Object.keys(given)) {
    if (!(key in schema.properties)) {
      throw new BulwarkError(
        "PARAMETER_INVALID",
        `${owner} has no parameter "${key}".`,
        `It has: ${Object.keys(schema.properties).join(", ") || "none"}.`,
      );
    }
  }
  const filled = Value.Default(schema, structuredClone({ ...presetOf(schema, given), ...given })) as Params;
  const [error] = checkParams(schema, filled);
  if (error)
    throw new BulwarkError("PARAMETER_INVALID", `${owner}: ${error}.`, "Correct the value; `bulwark list --json` shows the allowed range.");
  return filled as Static<P>;
}

/** Values that stand in for the defaults under the parameter `preset`, by its options. */
export type Presets = Readonly<Record<string, Params>>;

function presetOf(schema: TObject, given: Params): Params {
  const presets = (schema["presets"] ?? {}) as Presets;
  return presets[String(given["preset"])] ?? {};
}

function checkParams(schema: TObject, values: Params): string[] {
  const errors: string[] = [];
  for (const [key, property] of Object.entries(schema.properties)) {
    const value = values[key];
    if (value === undefined) continue;
    const allowed: unknown = property["enum"];
    if (Array.isArray(allowed)) {
      if (!allowed.includes(value)) errors.push(`${key} is ${JSON.stringify(value)} but must be one of ${allowed.join(", ")}`);
      continue;
    }
    const found = Value.Errors(property, value).First();
    if (found) errors.push(`${key} is ${JSON.stringify(value)}: ${found.message.charAt(0).toLowerCase()}${found.message.slice(1)}`);
  }
  return errors;
}

// ── what every entry has ────────────────────────────────────────────────────────────────────────────────────────────────────
export interface Entry {
  readonly id: string;
  readonly title: string;
  /** Where it comes from, such as "Madry et al. 2018". */
  readonly paper: string;
  readonly params: TObject;
}
type Described<P extends TObject> = Omit<Entry, "params"> & { readonly params: P };

// ── attacks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
export type Norm = "linf" | "l2" | "l0";
/** The set of images an attack may return; the harness projects onto it. `radius` in units of [0,1] pixels (l0: number of pixels). */
export interface Ball {
  readonly norm: Norm;
  readonly radius: number;
  /** All changed pixels lie in a square of this side, wherever it is: what a patch promises. */
  readonly window?: number;
}
/** What a ball may depend on beside the parameters. */
export interface BallFacts {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** What `prepare` made. */
  readonly patch?: Patch;
}
export interface AttackBatch {
  readonly images: Images;
  readonly labels: Labels;
  /** Classes aimed at, [b]; absent when any other class will do. */
  readonly targets?: Labels;
}
export interface AttackContext extends RunContext {
  /**
   * Call once per iteration with the images that `logits` belong to: the harness keeps the best iterate of each image, records the
   * trace that panels show, and checkpoints. Reads nothing back unless somebody watches. Does not take ownership of its arguments.
   */
  iterate(images: Images, logits: Logits): Promise<void>;
  /**
   * Random numbers of image i of the batch, always the same stream for the same image of a run: results then do not depend on how
   * images are grouped into batches. Call once an image and keep it.
   */
  random(i: number): Random;
  /** What `prepare` made. */
  readonly patch?: Patch;
}
export interface PrepareContext extends RunContext {
  /** Goes on from here. */
  readonly resume?: PatchProgress;
  readonly onStep?: PatchWatcher;
}
export interface Attack extends Entry {
  readonly access: "gradients" | "scores" | "labels";
  /** Takes more than one step: rules compare single-step with iterative attacks. */
  readonly iterative: boolean;
  ball(params: Params, facts: BallFacts): Ball;
  /** Iterations it takes at most, for progress; absent for a single step. */
  iterations?(params: Params): number;
  /** Class that the parameters aim at; null for any other than the label. Absent for untargeted attacks. */
  target?(params: Params): number | null;
  /**
   * Refuses what parameters, image size and classes decide together. Pure, so that an experiment asks before it trains anything; `run`
   * and `prepare` refuse the same. @throws BulwarkError
   */
  check?(params: Params, facts: ModelFacts): void;
  /**
   * Makes what is put to all images alike, a patch trained on `images`; `run` finds it in its context. Whoever attacks many images calls
   * it once; the harness calls it with the images of a batch for those who do not.
   */
  prepare?(model: Classifier, images: ImageSource, params: Params, ctx: PrepareContext): Promise<TrainedPatch>;
  /** A pure function of its arguments: proposes images [b,H,W,C]. The harness projects, scores and decides success. */
  run(model: Classifier, batch: AttackBatch, params: Params, ctx: AttackContext): Promise<Images>;
}
export function defineAttack<P extends TObject>(
  spec: Described<P> & {
    readonly access: Attack["access"];
    readonly iterative: boolean;
    ball(params: Static<P>, facts: BallFacts): Ball;
    iterations?(params: Static<P>): number;
    target?(params: Static<P>): number | null;
    check?(params: Static<P>, facts: ModelFacts): void;
    prepare?(model: Classifier, images: ImageSource, params: Static<P>, ctx: PrepareContext): Promise<TrainedPatch>;
    run(model: Classifier, batch: AttackBatch, params: Static<P>, ctx: AttackContext): Promise<Images>;
  },
): Attack {
  return spec as unknown as Attack; // parameters are checked against `spec.params` (resolveParams) before they get here
}

// ── defences ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** How images become volumes of slices: "3D convolution for proactive defense against localized adversary attacks", section 3. */
export interface VolumizerOptions {
  /** Side of a slice in pixels, or height and width. */
  readonly patch: number | readonly [height: number, width: number];
  readonly measure: Measure;
  readonly measureParams: Params;
  readonly order: "asc" | "desc";
  /**
   * What distances are taken to: the slice of highest or lowest entropy, one by its place in raster order, or one that is given, in bytes
   * [p_h·p_w·C].
   */
  readonly reference: "mostSalient" | "minEntropy" | { readonly index: number } | { readonly slice: Uint8Array };
  /** The reference competes with its true score, or with 0 as in the authors' code. */
  readonly refScore: "true" | "zero";
  /** What happens where the patch does not divide the image. */
  readonly onRemainder: "error" | "reflectPad" | "drop";
}

/** How a training defence changes building, feeding and judging the network. */
export interface TrainingPlan {
  /**
   * The network that is trained, made from the 2-D one that the experiment names (which it may return as it is). `note` is told where
   * it departs from that one, a sentence at a time.
   */
  network(base: tfl.LayersModel, note?: (text: string) => void): tfl.LayersModel;
  /** Images [b,H,W,C] → input of the network. Differentiable; identity for a plain network. */
  prepare(x: Images): tf.Tensor;
  /** Network output → logits [b,k]. */
  toLogits(output: tf.Tensor): Logits;
  /** Mean loss over the batch. */
  loss(output: tf.Tensor, labels: Labels): tf.Scalar;
  /**
   * The training loop multiplies the learning rate of SGD by this, to undo the scale of the loss (a sum over slices is Z times a mean).
   * Adam's step does not depend on the scale of the loss, so its learning rate stays as it is. Weight decay is divided by it.
   */
  readonly learningRateScale: number;
  /** Feeds each batch of `batchSize` images in an order of its own, `microBatch` images to an optimiser step. */
  readonly syllabus: Syllabus | undefined;
  /** How `prepare` cuts and orders images, for maps that have to go back to the image; absent where it does not. */
  readonly volumizer?: VolumizerOptions;
}
export interface Syllabus {
  microBatch(batchSize: number): number;
  /** Positions 0…n−1 in the order they are fed. `images` are n images of `pixels` floats in [0,1] each. */
  order(images: Float32Array, n: number): Int32Array;
}
export interface ModelFacts {
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
}
export interface TrainingDefense extends Entry {
  readonly kind: "training";
  plan(params: Params, facts: ModelFacts): TrainingPlan;
}
/** A transformation in front of the model at test time. */
export interface InferenceDefense extends Entry {
  readonly kind: "inference";
  readonly randomised: boolean;
  readonly backward: "exact" | "bpda";
  wrap(model: Classifier, params: Params, ctx: RunContext): Classifier;
}
export type Defense = TrainingDefense | InferenceDefense;
export function defineTrainingDefense<P extends TObject>(
  spec: Described<P> & { plan(params: Static<P>, facts: ModelFacts): TrainingPlan },
): TrainingDefense {
  return { ...spec, kind: "training" } as unknown as TrainingDefense;
}

// ── detectors, metrics, analyses: same shape, filled by later entries ───────────────────────────────────────────────────────────
export interface Detector extends Entry {
  /** One score per image, larger = more likely adversarial. */
  score(model: Classifier, x: Images, params: Params, ctx: RunContext): Promise<Float32Array>;
}

// ── explanations ────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface Explained {
  /** Attention [b,H,W] in [0,1]; the caller disposes. */
  readonly map: tf.Tensor3D;
  /** Attention area [b,H,W], 0 or 1, float32; the caller disposes. */
  readonly area: tf.Tensor3D;
  readonly layer: string;
  /** Images whose map is zero everywhere. */
  readonly degenerate: readonly boolean[];
}
export interface Explanation extends Entry {
  /** `classIndex` [b]: the class whose evidence is shown. */
  explain(model: Classifier, x: Images, classIndex: Labels, params: Params, ctx: RunContext): Promise<Explained>;
}
export function defineExplanation<P extends TObject>(
  spec: Described<P> & {
    explain(model: Classifier, x: Images, classIndex: Labels, params: Static<P>, ctx: RunContext): Promise<Explained>;
  },
): Explanation {
  return spec as unknown as Explanation;
}

// ── measures ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface Measure extends Entry {
  /** "standalone" looks at one slice; the others compare it with a reference. */
  readonly kind: "standalone" | "distance" | "similarity";
  /** On bytes 0…255, all channels pooled; `b` is the reference and is required unless standalone. */
  measure(a: Uint8Array, b: Uint8Array | undefined, params: Params): number;
  /** The same numbers for many slices and one reference, what depends on the reference alone computed once; absent where nothing does. */
  against?(b: Uint8Array, params: Params): (a: Uint8Array) => number;
}
export function defineMeasure<P extends TObject>(
  spec: Described<P> & {
    readonly kind: Measure["kind"];
    measure(a: Uint8Array, b: Uint8Array | undefined, params: Static<P>): number;
    against?(b: Uint8Array, params: Static<P>): (a: Uint8Array) => number;
  },
): Measure {
  return spec as unknown as Measure;
}

// ── models and data sets ──────────────────────────────────────────────────────────────────────────────────────────────────────
export interface NewNetwork extends ModelFacts {
  /** What the weights follow from. */
  readonly seed: number;
  /** All weights zero instead: for a network whose weights are counted or replaced. */
  readonly zeroWeights?: boolean;
}
export interface ModelSpec extends Entry {
  /** Default input of the paper; the experiment's data set decides in the end. */
  readonly inputShape: readonly [number, number, number];
  /** A new 2-D network ending in logits. @throws BulwarkError IMAGE_SIZE for images it is too deep for. */
  build(params: Params, facts: NewNetwork): tfl.LayersModel;
}
export function defineModel<P extends TObject>(
  spec: Described<P> & {
    readonly inputShape: readonly [number, number, number];
    build(params: Static<P>, facts: NewNetwork): tfl.LayersModel;
  },
): ModelSpec {
  return spec as unknown as ModelSpec;
}

export type Split = "train" | "test";
export interface Box {
  readonly label: string;
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
}
/** n images in one buffer, [n,H,W,C] float32 in [0,1]. */
export interface ImageBatch {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly n: number;
}
/** Random access by index, so that data larger than memory is read as it is needed. */
export interface Dataset {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classNames: readonly string[];
  /** Number of images of the split; 0 where the source has none. */
  size(split: Split): number;
  read(split: Split, indices: ArrayLike<number>): Promise<ImageBatch>;
  /** Ground-truth boxes in pixels of the image as read; empty where the source has none. */
  boxes(split: Split, index: number): readonly Box[];
  close(): Promise<void>;
}
export interface DatasetSpec extends Entry {
  /** `params.path` is where the files are; each data set documents what it looks for there. */
  load(params: Params, ctx: RunContext): Promise<Dataset>;
}
export function defineDataset<P extends TObject>(
  spec: Described<P> & { load(params: Static<P>, ctx: RunContext): Promise<Dataset> },
): DatasetSpec {
  return spec as unknown as DatasetSpec;
}
