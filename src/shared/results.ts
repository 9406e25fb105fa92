/** The documents of contract.md: what a finished attack, evaluation and run say. Rates are in [0,1]; `null` means "no image to count". */
export type Severity = "error" | "warning" | "info" | "hint";

/** A sanity rule that fired. `message` says why the result is suspicious, never that it is wrong. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly fix: string;
  readonly arm?: string;
  readonly attack?: string;
}

export interface Rate {
  readonly accuracy: number | null;
  readonly correct: number;
}

/** What happened to one image. Norms are of adversarial − clean, in units of [0,1] pixels; l0 counts changed pixels. */
export interface ImageRecord {
  readonly index: number;
  readonly label: number;
  readonly cleanPrediction: number;
  readonly prediction: number;
  readonly success: boolean;
  readonly successAfter8Bit: boolean;
  readonly linf: number;
  readonly l2: number;
  readonly l0: number;
  readonly iterations: number;
}

export interface NormSummary {
  readonly mean: number | null;
  readonly max: number | null;
}

export interface Choice {
  readonly id: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** `attack --json` of the contract, less `run` and `files`. */
export interface AttackSummary {
  readonly n: number;
  readonly attack: Choice;
  readonly defense: Choice | null;
  readonly backend: string;
  readonly seed: number;
  readonly clean: Rate;
  readonly attacked: Rate;
  readonly successRate: number | null;
  readonly defenseSuccess: number | null;
  readonly robustness: number | null;
  readonly norms: { readonly linf: NormSummary; readonly l2: NormSummary; readonly l0: NormSummary };
  readonly seconds: number;
  readonly gradientEvaluations: number;
  readonly forwardEvaluations: number;
  readonly imagesPerSecond: number;
  readonly findings: readonly Finding[];
}

export interface AttackDocument extends AttackSummary {
  readonly run: string;
  readonly images: readonly ImageRecord[];
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
  readonly layer: string;
  readonly samples: readonly ExplanationSample[];
}

export interface ArmReport {
  readonly name: string;
  readonly defense: Choice;
  readonly model: Choice;
  readonly clean: Rate & { readonly n: number };
  readonly training: {
    readonly epochs: number;
    readonly seconds: number;
    readonly imagesPerSecond: number;
    readonly reused: boolean;
    readonly images: number;
  } | null;
  readonly attacks: readonly AttackSummary[];
  readonly detectors: readonly unknown[];
  readonly explanations: readonly ExplanationResult[];
  readonly analyses: readonly unknown[];
  readonly timing: { readonly forwardMilliseconds: number; readonly batchSize: number } | null;
}

export interface Expectation {
  readonly metric: string;
  readonly attack?: string;
  readonly arm?: string;
  readonly min?: number;
  readonly max?: number;
  readonly value: number | null;
  readonly met: boolean;
}

export interface RunReport {
  readonly run: string;
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly arms: readonly ArmReport[];
  readonly findings: readonly Finding[];
  readonly expect: readonly Expectation[];
  readonly finishedAt: string;
}

/** Findings that say the same of several attacks on an arm, told once. */
export function groupFindings(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.rule, finding.arm, finding.message]);
    const first = groups.get(key);
    const attack = [first?.attack, finding.attack].filter(Boolean).join(", ");
    groups.set(key, { ...finding, ...(attack === "" ? {} : { attack }) });
  }
  return [...groups.values()];
}

/** 95 % Wilson score interval of `successes` out of `n`; `null` for n = 0. */
export function wilson(successes: number, n: number): readonly [number, number] | null {
  if (n === 0) return null;
  const z = 1.959963984540054;
  const p = successes / n;
  const denominator = 1 + (z * z) / n;
  const centre = (p + (z * z) / (2 * n)) / denominator;
  const half = (z / denominator) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
