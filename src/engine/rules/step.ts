import type { ParameterRole } from "../../shared/catalog.ts";
import type { Attack, Bound } from "../define/index.ts";

/** The parameter that sets the length of an attack's step, and the length as it was used, in units of [0,1] pixels. */
export interface Step {
  readonly parameter: string;
  readonly length: number;
}

/** Undefined for an attack without one. A length of 0 is the attack's own rule, 2.5·ε/steps. */
export function stepOf({ entry, params }: Pick<Bound<Attack>, "entry" | "params">): Step | undefined {
  const nameOf = (role: ParameterRole) => Object.entries(entry.params.properties).find(([, schema]) => schema["role"] === role)?.[0];
  const numberOf = (role: ParameterRole): number => Number(params[nameOf(role) ?? ""]);
  const parameter = nameOf("step");
  if (parameter === undefined) return undefined;
  const length = numberOf("step") || (2.5 * numberOf("radius")) / numberOf("steps");
  return Number.isFinite(length) ? { parameter, length } : undefined;
}
