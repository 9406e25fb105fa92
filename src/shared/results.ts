import type { Format, TableCell } from "./analysisCell.ts";
import type { ArmCertificate } from "./certificate.ts";
import type { DetectorResult } from "./detectorResults.ts";
import type { Figure, LineFigure } from "./figures/figure.ts";
import type { ImageRecord } from "./imageRecord.ts";
import type { Reach } from "./slices.ts";
import type { LabelSource } from "./verdict.ts";

export type { Format, TableCell } from "./analysisCell.ts";
export type { DetectedArea, DetectedAttack, DetectionAtRate, DetectorResult, RocPoint } from "./detectorResults.ts";
export type { ChartPoint, ChartSeries } from "./figures/figure.ts";
export type { ImageRecord } from "./imageRecord.ts";

/** The documents of contract.md: what a finished attack, evaluation and run say. Rates are in [0,1]; `null` means "no image to count". */
export type Severity = "error" | "warning" | "info" | "hint";

/** A value in an experiment file: `file` as the run was given it, `pointer` a JSON pointer such as "/attacks/1". */
export interface Place {
  readonly file: string;
  readonly pointer: string;
}

/** A rule of `shared/rules.ts` that fired. `message` says what looks suspicious, never that it is wrong; `fix` says what to do. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly fix: string;
  readonly arm?: string;
  /** Id of the attack, and its name within the run: "pgd-2" for the second PGD. */
  readonly attack?: string;
  readonly attackKey?: string;
  /** What the finding is about, where an experiment file names it. */
  readonly at?: Place;
  /** A change of the experiment file that does what `fix` says. */
  readonly edit?: { readonly pointer: string; readonly value: unknown };
}

export interface Rate {
  readonly accuracy: number | null;
  readonly correct: number;
}

export interface NormSummary {
  readonly mean: number | null;
  readonly max: number | null;
}

export type Norm = "linf" | "l2" | "l0";

/** Set of images within a radius of the clean one, in units of [0,1] pixels (l0: pixels). */
export interface Radius {
  readonly norm: Norm;
  readonly radius: number;
}

/** How far an attack that looks for the smallest change had to go, in units of [0,1] pixels (l0: pixels). */
export interface DistanceSummary {
  readonly norm: Norm;
  /** Of `of` images that were classified correctly, those that it fooled: the distances are theirs. */
  readonly found: number;
  readonly of: number;
  readonly mean: number | null;
  readonly median: number | null;
}

export interface Choice {
  readonly id: string;
  /** What readers know it by, where a report says so: "PGD-40, ε 8/255". */
  readonly label?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Several defences under one name, "labelSmoothing + jpeg"; the choice itself where there is one, null where there is none. */
export const combinedDefense = (defenses: readonly Choice[]): Choice | null =>
  defenses.length > 1 ? { id: defenses.map(({ id }) => id).join(" + "), params: {} } : (defenses[0] ?? null);

/**
 * An attack as it meets a defence that it does not know: the images were made without it (`source`: the same network with nothing in
 * front, or the undefended arm where the defence is in the training) and are only shown to the defended model. Rates as in `AttackSummary`.
 */
export interface StaticResult {
  readonly source: string;
  readonly n: number;
  readonly clean: Rate;
  readonly attacked: Rate;
  readonly successRate: number | null;
  readonly defenseSuccess: number | null;
  /** β over the attacks that fooled the undefended model. */
  readonly defenseSuccessOfFooled: number | null;
  readonly robustness: number | null;
  /** The same images shown to the experiment's control arm, a second undefended network. */
  readonly control?: { readonly arm: string; readonly attacked: Rate; readonly defenseSuccessOfFooled: number | null };
}

/** What a grey patch leaves right, pasted at the same places as the patch of an attack. */
export interface Covering {
  readonly attacked: Rate;
}

/** `attack --json` of the contract, less `run` and `files`. */
export interface AttackSummary {
  /** Name of the attack's files: its id, "pgd-2" for the second of that id. Reports of older versions have none of these four. */
  readonly key?: string;
  /** What readers know it by: "PGD-40, ε 8/255". */
  readonly label?: string;
  /** What the attacked model was defended with: training first, then in front, in order. */
  readonly defenses?: readonly Choice[];
  /** Why accuracy under this attack is an upper bound on robustness that may be far too high; absent where nothing says so. */
  readonly upperBound?: string;
  /** What was attacked and how gradients got past the defences, in words: "BPDA through JPEG, 20 passes averaged", "scores of the defended model". */
  readonly how?: string;
  readonly n: number;
  readonly attack: Choice;
  /** The defence of the model that is judged; several under one name. */
  readonly defense: Choice | null;
  readonly backend: string;
  readonly seed: number;
  readonly clean: Rate;
  readonly attacked: Rate;
  readonly successRate: number | null;
  /** Predictions of the target class; only for a targeted attack, where a success may be any wrong prediction. */
  readonly targetRate?: number | null;
  readonly defenseSuccess: number | null;
  readonly robustness: number | null;
  /** Over the images on which the attack succeeded; where there is none, over those that were classified correctly before it. */
  readonly norms: { readonly linf: NormSummary; readonly l2: NormSummary; readonly l0: NormSummary };
  /** Of an attack that looks for the smallest change. */
  readonly distances?: DistanceSummary;
  /** Images whose label an attack with a substitute asked for. */
  readonly queries?: number;
  /** Of an attack within a radius that its parameters say. */
  readonly ball?: Radius;
  readonly seconds: number;
  readonly gradientEvaluations: number;
  readonly forwardEvaluations: number;
  readonly imagesPerSecond: number;
  readonly findings: readonly Finding[];
  /** PNG of the patch pasted on the images, its JSON beside it: relative to the run folder, or where the person has it. Nothing is read by it. */
  readonly patch?: string;
  /** Beside it: what covering alone does to the same images. */
  readonly covering?: Covering;
  /** `static`: the images were made without the defence in the loop. Left out or `adaptive`: against the model as it is attacked here. */
  readonly mode?: "adaptive" | "static";
  /** β over the attacks that fooled the undefended arm; only where there is one. */
  readonly defenseSuccessOfFooled?: number | null;
  /** The same attack made against the undefended arm and transferred; only for a defended arm beside an undefended one. */
  readonly static?: StaticResult;
}

/** No attack among them knew of the defence: their figures, and the worst case over them, show only how well images transfer. */
export const isStaticOnly = (attacks: readonly Pick<AttackSummary, "mode">[]): boolean =>
  attacks.length > 0 && attacks.every(({ mode }) => mode === "static");

export interface AttackDocument extends AttackSummary {
  /** Not all images have labels, or none has: the model's own predictions stand for those that are missing, and accuracies are null. */
  readonly labels?: "predicted" | "partly";
  readonly run: string;
  /** What was decided about the data that the reader may want to know; absent where there is nothing. */
  readonly notes?: readonly string[];
  /** With who says the label, of a picture that was named and has one. */
  readonly images: readonly (ImageRecord & { readonly labelSource?: LabelSource })[];
  readonly files: { readonly adversarial: string; readonly images: string };
}

/** One picture pair of an explanation; files are relative to the run folder. */
export interface ExplanationSample {
  readonly index: number;
  readonly label: number;
  readonly attack: string;
  readonly clean: { readonly image: string; readonly attention: string; readonly prediction: number };
  readonly adversarial: { readonly image: string; readonly attention: string; readonly prediction: number };
  /** Intersection over union of the two attention areas. */
  readonly iou: number | null;
}

export interface ExplanationResult extends Choice {
  /** That the maps were read from; null of an explanation that looks at none. */
  readonly layer: string | null;
  readonly samples: readonly ExplanationSample[];
}

/** Accuracy when the strongest attack is chosen for each image: at most that under any one of them. */
export interface WorstCase extends Rate {
  /** Images that every attack was made on. */
  readonly n: number;
  /** Wilson, 95 %; null for no image. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Keys of the attacks, static ones among them. */
  readonly attacks: readonly string[];
}

export interface ArmReport {
  readonly name: string;
  /** `standard` for none; several under one name. */
  readonly defense: Choice;
  readonly defenses?: readonly Choice[];
  readonly model: Choice;
  /** The arm whose trained network this one has too; absent for an arm with a network of its own. */
  readonly network?: string;
  readonly clean: Rate & { readonly n: number };
  /** Of a volumized network. */
  readonly slices?: Reach;
  readonly training: {
    readonly epochs: number;
    readonly steps?: number; // of the optimiser, over all epochs; absent in reports of earlier versions
    readonly seconds: number;
    readonly imagesPerSecond: number;
    readonly reused: boolean;
    readonly images: number;
  } | null;
  readonly attacks: readonly AttackSummary[];
  /** Over all attacks of the arm, adaptive and static; null where it was not attacked or records of its images are missing. */
  readonly worst?: WorstCase | null;
  readonly certificate?: ArmCertificate;
  readonly detectors: readonly DetectorResult[];
  readonly explanations: readonly ExplanationResult[];
  /** What each analysis of the experiment measured on this arm, in the order of the experiment. */
  readonly analyses: readonly ArmAnalysis[];
  readonly timing: ForwardTiming | null;
}

/** Time of a forward pass over one image, in milliseconds: median (`forwardMilliseconds`) and 95th percentile. */
export interface ForwardTiming {
  readonly forwardMilliseconds: number;
  readonly batchSize: number;
  readonly p95Milliseconds?: number;
  /** The same without the defence's own preparation of the image (the volumizer); absent for an arm that has none. */
  readonly networkMilliseconds?: number;
  readonly networkP95Milliseconds?: number;
  /** What stands in front of the network alone, each image until the transformed one can be read; absent where nothing does. */
  readonly frontMilliseconds?: number;
  readonly frontP95Milliseconds?: number;
  /** Passes measured, after `warmUps` that were not. */
  readonly passes?: number;
  readonly warmUps?: number;
}

export interface ArmAnalysis extends Choice {
  /** Figures of the analysis' own form; null where it measures nothing on a single arm. */
  readonly data: unknown;
}

// ── what analyses say in the end: the same tables and charts in every report ──────────────────────────────────────────────────
export interface Column {
  readonly name: string;
  readonly format: Format;
}
export interface AnalysisTable {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly TableCell[])[];
}
/** A line chart: a line figure without its `kind`, as reports have held it from the start. */
export type AnalysisChart = Omit<LineFigure, "kind" | "marks">;
export interface AnalysisResult extends Choice {
  readonly title: string;
  readonly charts: readonly AnalysisChart[];
  /** Figures of the other kinds, drawn after the charts. */
  readonly figures?: readonly Figure[];
  readonly tables: readonly AnalysisTable[];
  readonly notes: readonly string[];
}

export interface Expectation {
  readonly metric: string;
  readonly attack?: string;
  readonly detector?: string;
  readonly arm?: string;
  readonly min?: number;
  readonly max?: number;
  readonly value: number | null;
  readonly met: boolean;
  /** The value comes from static attacks alone. */
  readonly knowledge?: "static";
}

export interface RunReport {
  readonly run: string;
  /** What was decided about the data that the reader may want to know; absent in reports of earlier versions. */
  readonly notes?: readonly string[];
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly arms: readonly ArmReport[];
  /** The experiment's analyses, over all arms. */
  readonly analyses?: readonly AnalysisResult[];
  readonly findings: readonly Finding[];
  readonly expect: readonly Expectation[];
  readonly finishedAt: string;
}

/** The attack that a finding is about, as the run's tables name it. */
export const attackOf = ({ attack, attackKey }: Finding): string | undefined => attackKey ?? attack;

/** Arm and attack that a finding is about, for people; empty where it is about the whole run. */
export const placeOf = (finding: Finding): string =>
  [finding.arm, attackOf(finding)].filter((part) => part !== undefined && part !== "").join(" · ");

/** Findings that say the same of several attacks on an arm, told once with all their keys. */
export function groupFindings(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, { readonly first: Finding; readonly keys: Set<string> }>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.rule, finding.arm, finding.message]);
    const group = groups.get(key) ?? { first: finding, keys: new Set() };
    groups.set(key, group);
    const attack = attackOf(finding);
    if (attack) group.keys.add(attack);
  }
  return [...groups.values()].map(({ first, keys }) => (keys.size === 0 ? first : { ...first, attackKey: [...keys].join(", ") }));
}

/** Quantile of the normal distribution for two-sided 99 %; that for 95 % is 1.959963984540054. */
export const z99 = 2.5758293035489004;

/** Wilson score interval of `successes` out of `n`, 95 % unless another quantile is given; `null` for n = 0. */
export function wilson(successes: number, n: number, z: number = 1.959963984540054): readonly [number, number] | null {
  if (n === 0) return null;
  const p = successes / n;
  const denominator = 1 + (z * z) / n;
  const centre = (p + (z * z) / (2 * n)) / denominator;
  const half = (z / denominator) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
