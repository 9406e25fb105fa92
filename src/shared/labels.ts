import { capital, epsilon, percent, words } from "./format.ts";
import { keysOf } from "./ledger.ts";
import {
  type ArmReport,
  type AttackSummary,
  attackOf,
  type Choice,
  type Expectation,
  type Finding,
  groupFindings,
  type RunReport,
} from "./results.ts";
import { staticKey } from "./runs.ts";

/** What the words of an id are not written as they stand there. */
const spellings: Readonly<Record<string, string>> = {
  fgsm: "FGSM",
  pgd: "PGD",
  bim: "BIM",
  jsma: "JSMA",
  cw: "CW",
  ll: "LL",
  lavan: "LaVAN",
  jpeg: "JPEG",
  "grad cam": "Grad-CAM",
  lime: "LIME",
};
const respelled = new RegExp(`\\b(${Object.keys(spellings).join("|")})\\b`, "g");

/**
 * What readers know a choice by. Its entry writes that itself (`label`); for a report of an older version, which has ids alone, its words
 * and the settings that decide its strength: "PGD, 40 steps, ε 0.3".
 * @param title of the entry, where it is known
 */
export function choiceLabel({ id, params, label }: Choice, title?: string): string {
  if (label !== undefined) return label;
  if (id === "standard") return "No defence";
  const { steps, eps, pixels, area } = params as Readonly<Record<"steps" | "eps" | "pixels" | "area", unknown>>;
  return [
    title ?? spelled(id),
    typeof steps === "number" && area === undefined ? `${steps} steps` : "",
    typeof area === "number" ? `${percent(area)} of the image` : "",
    typeof eps === "number" ? `ε ${epsilon(eps)}` : "",
    typeof pixels === "number" ? `${pixels} px` : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

const spelled = (id: string): string => capital(words(id).replace(respelled, (written) => spellings[written] ?? written));

export const attackLabel = ({ attack, label }: Pick<AttackSummary, "attack" | "label">): string => label ?? choiceLabel(attack);

/** Name of an arm; one named after the ids of its defences is shown with their labels: "JPEG 80 + Bit depth 3". */
export const armLabel = ({ name, defense }: Pick<ArmReport, "name" | "defense">): string =>
  name === defense.id ? (defense.label ?? name.split(" + ").map(spelled).join(" + ")) : name;

/** What a report calls its arms and attacks, which it holds by name and key. What it does not know is called as it is written. */
export interface Names {
  arm(name: string): string;
  /** Also of a static one, "…, static", and of several keys with commas between them. */
  attack(key: string): string;
  /** A text that is the name of an arm, or begins with one ("bitDepth, static"), with what the arm is called. */
  text(label: string): string;
}

export function namesOf({ arms }: Pick<RunReport, "arms">): Names {
  const attacks = new Map<string, string>();
  for (const arm of arms)
    for (const [i, key] of keysOf(arm).entries()) {
      const summary = arm.attacks[i];
      if (!summary || attacks.has(key)) continue;
      attacks.set(key, attackLabel(summary));
      attacks.set(staticKey(key), `${attackLabel(summary)}, static`);
    }
  const known = new Map(arms.map((arm) => [arm.name, armLabel(arm)]));
  const renamed = [...known].filter(([name, label]) => name !== label);
  return {
    arm: (name) => known.get(name) ?? name,
    attack: (key) => attacks.get(key) ?? key,
    text(label) {
      const own = renamed.find(([name]) => label === name || label.startsWith(`${name}, `));
      return own ? own[1] + label.slice(own[0].length) : label;
    },
  };
}

/** Follows the value of an expectation that rests on no adaptive attack. */
export const knowledgeNote = ({ knowledge }: Pick<Expectation, "knowledge">): string =>
  knowledge === "static" ? " (static attacks only)" : "";

/** What the norms of an attack are means over. */
export const normsNote =
  "over the images on which the attack succeeded; where it succeeded on none, over those that were classified correctly before it";

/** A finding with the places that it is about, in words. */
export interface PlacedFinding extends Finding {
  readonly place: string;
}

/** Findings that say the same of several attacks, once, under the names of arms and attacks. */
export const placedFindings = (findings: readonly Finding[], names: Names): PlacedFinding[] =>
  groupFindings(findings).map((finding) => {
    const attacks = (attackOf(finding) ?? "").split(", ").map((key) => (key === "" ? "" : names.attack(key)));
    const place = [finding.arm === undefined ? "" : names.arm(finding.arm), attacks.join(", ")].filter((part) => part !== "").join(" · ");
    return { ...finding, place };
  });

/** Attacks under which accuracy is a loose upper bound on robustness, those of one reason together. */
export function upperBoundNotes(summaries: readonly Pick<AttackSummary, "attack" | "label" | "upperBound">[]): string[] {
  const reasons = new Set(summaries.flatMap(({ upperBound }) => upperBound ?? []));
  return [...reasons].map((reason) => {
    const labels = new Set(summaries.filter(({ upperBound }) => upperBound === reason).map(attackLabel));
    return `${[...labels].join("; ")}: ${reason.replace(/\.$/, "")}`;
  });
}

/** How each adaptive attack got past the defences, once for all attacks of an arm that did it the same way. */
export const adaptiveNotes = (report: Pick<RunReport, "arms">): string[] =>
  report.arms.flatMap((arm) => {
    const ways = [...new Set(arm.attacks.flatMap(({ how, mode }) => (how && mode === "adaptive" ? [how] : [])))];
    return ways.map((how) => {
      const attacks = arm.attacks.filter((summary) => summary.how === how && summary.mode === "adaptive");
      const which = attacks.length === arm.attacks.length ? "" : ` (${attacks.map(attackLabel).join("; ")})`;
      return `${armLabel(arm)}, adaptive attacks${which}: ${how}`;
    });
  });
