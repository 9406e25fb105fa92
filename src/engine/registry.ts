import path from "node:path";
import type { TSchema } from "@sinclair/typebox";
import { isPath } from "../shared/catalog.ts";
import { BulwarkError } from "../shared/errors.ts";
import type { Chosen } from "../shared/experiment.ts";
import { suggestion } from "../shared/nearest.ts";
import { attentionStudy } from "./analyses/attentionStudy.ts";
import { baselineComparison } from "./analyses/baselineComparison.ts";
import { defenseArena } from "./analyses/defenseArena.ts";
import { iterationCurve } from "./analyses/iterationCurve.ts";
import { minimalDistance } from "./analyses/minimalDistance.ts";
import { paperComparison } from "./analyses/paperComparison.ts";
import { ablation } from "./analyses/papers/paper0/ablation.ts";
import { depthSweep } from "./analyses/papers/paper0/depthSweep.ts";
import { syllabusComparison } from "./analyses/papers/paper0/syllabusComparison.ts";
import { layerAblation } from "./analyses/papers/paper4/layerAblation.ts";
import { subLinearity } from "./analyses/papers/paper4/subLinearity.ts";
import { robustnessCurve } from "./analyses/robustnessCurve.ts";
import { rocCurve } from "./analyses/rocCurve.ts";
import { samplingProbabilities } from "./analyses/samplingProbabilities.ts";
import { singularValues } from "./analyses/singularValues.ts";
import { sliceCertificate } from "./analyses/sliceCertificate.ts";
import { timing } from "./analyses/timing.ts";
import { transferMatrix } from "./analyses/transferMatrix.ts";
import { tsne } from "./analyses/tsne.ts";
import { adversarialPatch } from "./attacks/adversarialPatch/adversarialPatch.ts";
import { attentionAugmented } from "./attacks/attentionAugmented/attentionAugmented.ts";
import { bim } from "./attacks/bim.ts";
import { blackBox } from "./attacks/blackBox/blackBox.ts";
import { cwPgd } from "./attacks/cwPgd.ts";
import { fgsm } from "./attacks/fgsm.ts";
import { iterStepLL } from "./attacks/iterStepLL.ts";
import { lavan } from "./attacks/lavan/lavan.ts";
import { carliniWagner } from "./attacks/minimalNorm/carliniWagner.ts";
import { deepFool } from "./attacks/minimalNorm/deepFool.ts";
import { pgd } from "./attacks/pgd.ts";
import { greedyPixels } from "./attacks/pixels/greedyPixels.ts";
import { jsma } from "./attacks/pixels/jsma.ts";
import { nPixel } from "./attacks/pixels/nPixel.ts";
import { sparseRs } from "./attacks/pixels/sparseRs.ts";
import { stepLL } from "./attacks/stepLL.ts";
import { arrays } from "./datasets/arrays.ts";
import { cifar10, cifar100 } from "./datasets/cifar.ts";
import { imageFolder } from "./datasets/imageFolder.ts";
import { fashionMnist, mnist } from "./datasets/mnist.ts";
import { svhn } from "./datasets/svhn.ts";
import { adversarialLogitPairing } from "./defenses/adversarialLogitPairing.ts";
import { adversarialTraining } from "./defenses/adversarialTraining.ts";
import { attentionRectification } from "./defenses/attentionRectification.ts";
import { batchNormalization } from "./defenses/batchNormalization.ts";
import { bilateralFilter } from "./defenses/bilateralFilter.ts";
import { bitDepth } from "./defenses/bitDepth.ts";
import { boundedRelu } from "./defenses/boundedRelu.ts";
import { compactConvolution } from "./defenses/compactConvolution.ts";
import { digitalWatermark } from "./defenses/digitalWatermark.ts";
import { gaussianFilter } from "./defenses/gaussianFilter.ts";
import { jpeg } from "./defenses/jpeg.ts";
import { l2Softmax } from "./defenses/l2Softmax.ts";
import { labelSmoothing } from "./defenses/labelSmoothing.ts";
import { localGradientSmoothing } from "./defenses/localGradientSmoothing.ts";
import { localResponseNormalization } from "./defenses/localResponseNormalization.ts";
import { medianFilter } from "./defenses/medianFilter.ts";
import { standard } from "./defenses/standard.ts";
import { totalVariation } from "./defenses/totalVariation.ts";
import { volumizedCurriculum } from "./defenses/volumizedCurriculum.ts";
import {
  type Analysis,
  type Attack,
  type Bound,
  type DatasetSpec,
  type Defense,
  type Detector,
  type Entry,
  type Explanation,
  type Kinds,
  type Measure,
  type ModelSpec,
  type Params,
  resolveParams,
} from "./define/index.ts";
import { dropoutUncertainty } from "./detectors/dropoutUncertainty.ts";
import { softmaxEntropy } from "./detectors/softmaxEntropy.ts";
import { stochasticActivationPruning } from "./detectors/stochasticActivationPruning.ts";
import { varianceMinimization } from "./detectors/varianceMinimization.ts";
import { gradCam } from "./explanations/gradCam.ts";
import { lime } from "./explanations/lime/lime.ts";
import { saliency } from "./explanations/saliency.ts";
import { measures as allMeasures } from "./measures/all.ts";
import { efficientNetB0 } from "./models/efficientNetB0.ts";
import { feinmanCifar, feinmanMnist, feinmanSvhn } from "./models/feinman.ts";
import { inceptionV3 } from "./models/inceptionV3.ts";
import { lenet } from "./models/lenet.ts";
import { papernot } from "./models/papernot.ts";
import { resnet9 } from "./models/resnet9.ts";
import { resnet50 } from "./models/resnet50.ts";
import { vgg11 } from "./models/vgg11.ts";
import { vgg16 } from "./models/vgg16.ts";
import { vgg19 } from "./models/vgg19.ts";

// Adding an entry: write its file, add its name here. Lists are alphabetical by id.
export const attacks: readonly Attack[] = [
  adversarialPatch,
  attentionAugmented,
  bim,
  blackBox,
  carliniWagner,
  cwPgd,
  deepFool,
  fgsm,
  greedyPixels,
  iterStepLL,
  jsma,
  lavan,
  nPixel,
  pgd,
  sparseRs,
  stepLL,
];
export const defenses: readonly Defense[] = [
  adversarialLogitPairing,
  adversarialTraining,
  attentionRectification,
  batchNormalization,
  bilateralFilter,
  bitDepth,
  boundedRelu,
  compactConvolution,
  digitalWatermark,
  gaussianFilter,
  jpeg,
  l2Softmax,
  labelSmoothing,
  localGradientSmoothing,
  localResponseNormalization,
  medianFilter,
  standard,
  totalVariation,
  volumizedCurriculum,
];
export const detectors: readonly Detector[] = [dropoutUncertainty, softmaxEntropy, stochasticActivationPruning, varianceMinimization];
export const explanations: readonly Explanation[] = [gradCam, lime, saliency];
export const analyses: readonly Analysis[] = [
  ablation,
  attentionStudy,
  baselineComparison,
  defenseArena,
  depthSweep,
  iterationCurve,
  layerAblation,
  minimalDistance,
  paperComparison,
  robustnessCurve,
  rocCurve,
  samplingProbabilities,
  singularValues,
  sliceCertificate,
  subLinearity,
  syllabusComparison,
  timing,
  transferMatrix,
  tsne,
];
export const measures: readonly Measure[] = allMeasures;
export const models: readonly ModelSpec[] = [
  efficientNetB0,
  feinmanCifar,
  feinmanMnist,
  feinmanSvhn,
  inceptionV3,
  lenet,
  papernot,
  resnet50,
  resnet9,
  vgg11,
  vgg16,
  vgg19,
];
export const datasets: readonly DatasetSpec[] = [arrays, cifar10, cifar100, fashionMnist, imageFolder, mnist, svhn];

/** The lists by the kind names of `bulwark list`. */
export const registry = {
  attack: attacks,
  defense: defenses,
  detector: detectors,
  explanation: explanations,
  measure: measures,
  analysis: analyses,
  model: models,
  dataset: datasets,
} as const;
export type RegistryKind = keyof typeof registry;

/** The entry of that id; UNKNOWN_ID names the nearest and the known ones. */
export function find<K extends RegistryKind>(kind: K, id: string): Kinds[K] {
  const list: readonly Entry[] = registry[kind];
  const entry = list.find((e) => e.id === id);
  if (!entry)
    throw new BulwarkError(
      "UNKNOWN_ID",
      `There is no ${kind} "${id}".`,
      suggestion(
        id,
        list.map((e) => e.id),
      ),
    );
  return entry as Kinds[K];
}

/** Adds an entry at run time, as plugins do; what it returns takes it away again. @throws UNKNOWN_ID where the id is taken */
export function register<K extends RegistryKind>(kind: K, entry: Kinds[K]): () => void {
  const list = registry[kind] as unknown as Entry[];
  if (list.some(({ id }) => id === entry.id))
    throw new BulwarkError("UNKNOWN_ID", `There is a ${kind} "${entry.id}" already.`, "Give the new one another id.");
  list.push(entry);
  return () => {
    list.splice(list.indexOf(entry), 1);
  };
}

/**
 * The only way from an id to an entry that can be used: checks the parameters, fills in defaults, binds the choices inside them and makes
 * files absolute.
 * @param directory what relative files are relative to; the working directory when left out
 * @throws UNKNOWN_ID, PARAMETER_INVALID
 */
export function bind<K extends RegistryKind>(kind: K, chosen: Chosen, o: { readonly directory?: string } = {}): Bound<Kinds[K]> {
  const { kind: id, ...given } = chosen;
  const entry = find(kind, id);
  return { id, params: completed(entry, given, o), entry };
}

/** Parameters of an entry as `bind` makes them. @throws UNKNOWN_ID, PARAMETER_INVALID */
export function completed(entry: Entry, given: Params, o: { readonly directory?: string } = {}): Params {
  const { id } = entry;
  const isChoice = (name: string): boolean => entry.params.properties[name]?.["registry"] !== undefined;
  const plain = Object.fromEntries(Object.entries(given).filter(([name]) => !isChoice(name)));
  const params: Record<string, unknown> = { ...resolveParams(entry.params, plain, id, entry.title) };
  for (const [name, property] of Object.entries(entry.params.properties)) {
    const value = isChoice(name) ? (given[name] ?? params[name]) : params[name];
    if (isChoice(name)) params[name] = choicesOf(property, value, `${id}.${name}`, o);
    if (typeof value === "string" && isPath(property, value)) params[name] = path.resolve(o.directory ?? "", value);
  }
  return params;
}

/** What stands at a parameter that chooses an entry, or a list of them where it may have several. @throws PARAMETER_INVALID */
function choicesOf(property: TSchema, value: unknown, where: string, o: { readonly directory?: string }): Bound | readonly Bound[] {
  const kind = property["registry"] as RegistryKind;
  if (property["several"] !== true || !Array.isArray(value)) return nested(kind, value, where, o);
  if (value.length === 0) throw new BulwarkError("PARAMETER_INVALID", `${where} is an empty list.`, `Name at least one ${kind}.`);
  return value.map((one, i) => nested(kind, one, `${where}[${i}]`, o));
}

/** A choice inside parameters: `{kind, …}` or the id alone; one that is bound already stays. What is wrong inside it is said with its place. */
function nested(kind: RegistryKind, value: unknown, where: string, o: { readonly directory?: string }): Bound {
  const inside = (chosen: Chosen): Bound => {
    try {
      return bind(kind, chosen, o);
    } catch (thrown) {
      throw thrown instanceof BulwarkError
        ? new BulwarkError(thrown.code, `${where}: ${thrown.message}`, thrown.fix, { cause: thrown })
        : thrown;
    }
  };
  if (typeof value === "string") return inside({ kind: value });
  if (typeof value === "object" && value !== null) {
    if ("entry" in value && "params" in value) return value as Bound;
    if ("kind" in value && typeof value.kind === "string") return inside(value as Chosen);
  }
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `${where} names no ${kind}.`,
    `Write {"kind": "${registry[kind][0]?.id ?? "id"}"} with its parameters, or just the id.`,
  );
}
