/**
 * What became of one picture, decided in one place for the engine's results, the Inspector, the command line and reports. Classes are
 * indices; a label that nobody knows is null, and then the model's own clean prediction is what an untargeted attack leads away from.
 */
export interface Judged {
  readonly label: number | null;
  /** Predictions before and after the attack. */
  readonly clean: number;
  readonly adversarial: number;
  /** Target class; null for an untargeted attack. */
  readonly target: number | null;
}

export const verdictKinds = ["fooled", "resisted", "alreadyWrong", "repaired", "reached", "notReached", "alreadyTarget"] as const;
export type VerdictKind = (typeof verdictKinds)[number];

export function verdictOf({ label, clean, adversarial, target }: Judged): VerdictKind {
  if (target !== null) {
    if (clean === target) return "alreadyTarget";
    return adversarial === target ? "reached" : "notReached";
  }
  if (label !== null && clean !== label) return adversarial === label ? "repaired" : "alreadyWrong";
  return adversarial === clean ? "resisted" : "fooled";
}

/** The attack got what it was after. */
export const isSuccess = (kind: VerdictKind): boolean => kind === "fooled" || kind === "reached";

/** The classes of a verdict in words, with or without probabilities; `label` and `target` are null where there is none. */
export interface VerdictNames {
  readonly label: string | null;
  readonly clean: string;
  readonly adversarial: string;
  readonly target: string | null;
}

/** One sentence with what happened and what it counts as. */
export function verdictText(kind: VerdictKind, { label, clean, adversarial, target }: VerdictNames): string {
  switch (kind) {
    case "fooled":
      return label === null
        ? `${clean} → ${adversarial}: the model's own prediction changed (no label).`
        : `${clean} → ${adversarial}: the attack succeeded.`;
    case "resisted":
      return `Resisted: still ${adversarial}.`;
    case "alreadyWrong":
      return `Already wrong before the attack: ${label} predicted as ${clean}.`;
    case "repaired":
      return `Repaired: ${clean} → ${adversarial}, which is the label. No success of the attack.`;
    case "reached":
      return `${clean} → ${adversarial}: target class reached.`;
    case "notReached":
      return `Target class ${target} not reached: ${clean} → ${adversarial}.`;
    case "alreadyTarget":
      return `Already of the target class: ${clean}. Nothing to attack.`;
  }
}

/** A few words for a list of runs: names without probabilities. */
export function verdictHeadline(kind: VerdictKind, names: VerdictNames): string {
  const { label, clean, adversarial, target } = names;
  switch (kind) {
    case "fooled":
    case "reached":
      return `${clean} → ${adversarial}`;
    case "resisted":
      return `resisted: ${adversarial}`;
    case "alreadyWrong":
      return `already wrong: ${label} predicted as ${clean}`;
    case "repaired":
      return `repaired: ${clean} → ${adversarial}`;
    case "notReached":
      return `not reached: ${target}`;
    case "alreadyTarget":
      return `already of the target class: ${clean}`;
  }
}

/** Where the true class of a picture comes from; `name` is that of the folder or file, empty where a person chose. */
export interface LabelSource {
  readonly kind: "folder" | "labelFile" | "annotation" | "person";
  readonly name: string;
}
const sources: Readonly<Record<LabelSource["kind"], (name: string) => string>> = {
  folder: () => "from the folder",
  labelFile: (name) => `from ${name}`,
  annotation: (name) => `from the annotation ${name}`,
  person: () => "chosen by hand",
};

/** "Label: cat, from the folder." */
export const labelText = (name: string, source: LabelSource | null): string =>
  source === null ? `Label: ${name}.` : `Label: ${name}, ${sources[source.kind](source.name)}.`;
export const noLabelText = "No label: attacking the model's own prediction.";
