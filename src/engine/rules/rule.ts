import type { Finding, Place } from "../../shared/results.ts";
import { type RuleId, severityOf } from "../../shared/rules.ts";

/** What a rule says: the rest of a finding comes from the catalogue and from where the evidence was taken. */
export interface Raised extends Pick<Finding, "message" | "fix">, Partial<Pick<Finding, "severity" | "attack" | "attackKey">> {
  /** A parameter of the place that the finding is about, and the value that `fix` advises. */
  readonly edit?: { readonly parameter: string; readonly value: unknown };
}

/** One rule: id, severity and reason stand in `shared/rules.ts`. `check` is pure. */
export interface Rule<E> {
  readonly id: RuleId;
  check(evidence: E): Raised | readonly Raised[] | null;
}

/** What a finding is about; left out where it is about the whole run. */
export interface Where {
  readonly arm?: string | undefined;
  readonly attack?: string | undefined;
  readonly attackKey?: string | undefined;
  readonly at?: Place | undefined;
}

/**
 * Puts evidence to a list of rules (`rules/index.ts`). Whoever has evidence calls this with the list of its kind and never a rule by
 * name.
 * @param where arm, attack and place in the experiment file that every finding is to name
 */
export function findingsOf<E>(rules: readonly Rule<E>[], evidence: E, where: Where): Finding[] {
  return rules.flatMap(({ id, check }) => {
    const raised = check(evidence);
    if (raised === null) return [];
    return ("message" in raised ? [raised] : raised).map((one) => toFinding(id, one, where));
  });
}

/** Findings about a model, which were made when it was opened, with the arm and the place that they are reported for. */
export const placed = (findings: readonly Finding[], { arm, at }: Where): Finding[] =>
  findings.map((finding) => ({ ...finding, ...(arm === undefined ? {} : { arm }), ...(at === undefined ? {} : { at }) }));

/** "RB102: The model gives …", for a log or a terminal. */
export const findingLine = ({ rule, message }: Finding): string => `${rule}: ${message}`;

export function toFinding(rule: RuleId, { severity, edit, ...raised }: Raised, { arm, attack, attackKey, at }: Where): Finding {
  const named = { ...(arm === undefined ? {} : { arm }), ...(attack === undefined ? {} : { attack }) };
  const placed = { ...(attackKey === undefined ? {} : { attackKey }), ...(at === undefined ? {} : { at }) };
  const edited = edit && at ? { edit: { pointer: `${at.pointer}/${edit.parameter}`, value: edit.value } } : {};
  return { rule, severity: severity ?? severityOf(rule), ...named, ...placed, ...edited, ...raised };
}
