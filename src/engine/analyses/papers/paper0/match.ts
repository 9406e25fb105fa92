import type { AttackSummary, StaticResult } from "../../../../shared/results.ts";
import type { AnalysedArm } from "../../../define/analysis.ts";
import { rocOf } from "../../rocCurve.ts";
import type { PaperData, PaperModel, Printed, Quantity } from "./printed.ts";
import { isHalfOf, roleOf } from "./roles.ts";

/** The network and data set of the paper that stand for ours. */
export function nearestModel(model: string): PaperModel | null {
  if (/^vgg/.test(model)) return "VGG";
  if (/^efficientNet/i.test(model)) return "EfficientNet";
  if (/^inception/i.test(model)) return "Inception";
  return /^resnet50/i.test(model) ? "ResNet" : null;
}
export function nearestData(dataset: string): PaperData | null {
  if (dataset === "cifar10") return "CIFAR10";
  if (dataset === "cifar100") return "CIFAR100";
  return dataset === "imageFolder" ? "ILSVRC12" : null;
}

/** The arm that a row of the paper's tables means: by measure for the full method, by role for the others; null where there is none. */
export function armOf(row: string, arms: readonly AnalysedArm[]): AnalysedArm | null {
  const role = (arm: AnalysedArm) => roleOf(arm.report.defense);
  const measure = (arm: AnalysedArm) => String(arm.report.defense.params["measure"]);
  const full = arms.filter((arm) => role(arm) === "I");
  if (row === "I") return full.find((arm) => measure(arm) === "mutualInformation") ?? null;
  const whole = armOf("I", arms) ?? full[0];
  // Half of the method differs from the whole in one switch only; independent slices are a different defence.
  const isPart = (arm: AnalysedArm): boolean =>
    role(arm) === row && (row === "undefended" || !whole || isHalfOf(arm.report.defense, whole.report.defense));
  return full.find((arm) => measure(arm) === row) ?? arms.find(isPart) ?? null;
}

/** Rows that stand for other people's defences: reported, never measured here. */
const ownRows = new Set(["undefended", "I", "I-Vol", "I-CL", "entropy", "mutualInformation", "klDivergence", "psnr", "maxNorm"]);
export const isOwnRow = ({ row }: Printed): boolean => ownRows.has(row);

const isOnePixel = ({ attack }: AttackSummary): boolean => attack.id === "nPixel" && attack.params["pixels"] === 1;
const isPatch = ({ attack }: AttackSummary): boolean => attack.id === "adversarialPatch";

/** Ours: the figure under the adaptive and under the static attack. Shares, an area, or milliseconds. */
export interface Measured {
  readonly adaptive: number | null;
  readonly static: number | null;
}

export function measuredOf(quantity: Quantity, arm: AnalysedArm): Measured | null {
  const { report } = arm;
  const of = (isMeant: (s: AttackSummary) => boolean, figure: (r: AttackSummary | StaticResult) => number | null): Measured | null => {
    const summary = report.attacks.find(isMeant);
    return summary
      ? { adaptive: summary.mode === "static" ? null : figure(summary), static: summary.static ? figure(summary.static) : null }
      : null;
  };
  const auc = (isMeant: (s: AttackSummary) => boolean): Measured | null => {
    const key = arm.attacks.find(({ summary }) => isMeant(summary))?.key;
    const roc = report.analyses.find(({ id }) => id === "rocCurve");
    const curve = roc && key !== undefined ? rocOf(roc.data).find(({ attack }) => attack === key) : undefined;
    return curve ? { adaptive: curve.auc, static: null } : null;
  };
  switch (quantity) {
    case "clean":
      return { adaptive: report.clean.accuracy, static: null };
    case "onePixel":
      return of(isOnePixel, ({ attacked }) => attacked.accuracy);
    case "patch":
      return of(isPatch, ({ attacked }) => attacked.accuracy);
    case "betaPatch":
      return of(isPatch, ({ defenseSuccess }) => defenseSuccess);
    case "aucOnePixel":
      return auc(isOnePixel);
    case "aucPatch":
      return auc(isPatch);
    case "milliseconds":
      return report.timing ? { adaptive: report.timing.forwardMilliseconds, static: null } : null;
  }
}

/** Of the columns of a table the one for the wanted network and data; failing that the first of that network, of CIFAR-10, or of all. */
export function columnOf(entries: readonly Printed[], model: PaperModel | null, data: PaperData | null): Printed | undefined {
  const score = (entry: Printed): number => 4 * Number(entry.model === model) + 2 * Number(entry.dataset === (data ?? "CIFAR10"));
  return entries.reduce<Printed | undefined>((best, entry) => (best && score(best) >= score(entry) ? best : entry), undefined);
}
