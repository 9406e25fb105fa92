import { BulwarkError } from "../shared/errors.ts";
import { baselineComparison } from "./analyses/baselineComparison.ts";
import { paperComparison } from "./analyses/paperComparison.ts";
import { ablation } from "./analyses/papers/paper0/ablation.ts";
import { depthSweep } from "./analyses/papers/paper0/depthSweep.ts";
import { syllabusComparison } from "./analyses/papers/paper0/syllabusComparison.ts";
import { robustnessCurve } from "./analyses/robustnessCurve.ts";
import { rocCurve } from "./analyses/rocCurve.ts";
import { timing } from "./analyses/timing.ts";
import { adversarialPatch } from "./attacks/adversarialPatch/adversarialPatch.ts";
import { fgsm } from "./attacks/fgsm.ts";
import { nPixel } from "./attacks/nPixel/nPixel.ts";
import { pgd } from "./attacks/pgd.ts";
import { arrays } from "./datasets/arrays.ts";
import { cifar10, cifar100 } from "./datasets/cifar.ts";
import { imageFolder } from "./datasets/imageFolder.ts";
import { fashionMnist, mnist } from "./datasets/mnist.ts";
import { svhn } from "./datasets/svhn.ts";
import { standard } from "./defenses/standard.ts";
import { volumizedCurriculum } from "./defenses/volumizedCurriculum.ts";
import type { Analysis } from "./define/analysis.ts";
import type { Attack, DatasetSpec, Defense, Detector, Entry, Explanation, Measure, ModelSpec } from "./define/index.ts";
import { gradCam } from "./explanations/gradCam.ts";
import { measures as allMeasures } from "./measures/all.ts";
import { efficientNetB0 } from "./models/efficientNetB0.ts";
import { inceptionV3 } from "./models/inceptionV3.ts";
import { lenet } from "./models/lenet.ts";
import { papernot } from "./models/papernot.ts";
import { resnet9 } from "./models/resnet9.ts";
import { resnet50 } from "./models/resnet50.ts";
import { vgg16 } from "./models/vgg16.ts";
import { vgg19 } from "./models/vgg19.ts";

// Adding an entry: write its file, add its name here. Lists are alphabetical by id.
export const attacks: readonly Attack[] = [adversarialPatch, fgsm, nPixel, pgd];
export const defenses: readonly Defense[] = [standard, volumizedCurriculum];
export const detectors: readonly Detector[] = [];
export const explanations: readonly Explanation[] = [gradCam];
export const analyses: readonly Analysis[] = [
  ablation,
  baselineComparison,
  depthSweep,
  paperComparison,
  robustnessCurve,
  rocCurve,
  syllabusComparison,
  timing,
];
export const measures: readonly Measure[] = allMeasures;
export const models: readonly ModelSpec[] = [efficientNetB0, inceptionV3, lenet, papernot, resnet50, resnet9, vgg16, vgg19];
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
type EntryOf<K extends RegistryKind> = (typeof registry)[K][number];

/** The entry of that id; UNKNOWN_ID names the nearest ones. */
export function find<K extends RegistryKind>(kind: K, id: string): EntryOf<K> {
  const list: readonly Entry[] = registry[kind];
  const entry = list.find((e) => e.id === id);
  if (!entry) throw new BulwarkError("UNKNOWN_ID", `There is no ${kind} "${id}".`, `Known: ${list.map((e) => e.id).join(", ")}.`);
  return entry as EntryOf<K>;
}
