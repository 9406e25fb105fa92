import type { ParameterRole } from "../../shared/catalog.ts";
import { type Attack, type Bound, followedIterations } from "../define/index.ts";

/** The parameter that sets the length of an attack's step, and the length as it was used, in units of [0,1] pixels. */
export interface Step {
  readonly parameter: string;
  readonly length: number;
}

/** How long an attack moves each image along its gradients: a parameter, its value, and the iterations of all its restarts. */
export interface Steps {
  readonly parameter: string;
  readonly value: number;
  readonly iterations: number;
}

/** Undefined for an attack whose iterations say nothing about accuracy (`followedIterations`), or no parameter of which lengthens it. */
export function stepsOf({ entry, params }: Pick<Bound<Attack>, "entry" | "params">): Steps | undefined {
  const iterations = followedIterations(entry, params);
  const parameter = nameOf(entry, "steps");
  return iterations === null || parameter === undefined ? undefined : { parameter, value: Number(params[parameter]), iterations };
}

/** Undefined for an attack without one. A length of 0 is the attack's own rule, 2.5·ε/steps. */
export function stepOf({ entry, params }: Pick<Bound<Attack>, "entry" | "params">): Step | undefined {
  const numberOf = (role: ParameterRole): number => Number(params[nameOf(entry, role) ?? ""]);
  const parameter = nameOf(entry, "step");
  if (parameter === undefined) return undefined;
  const length = numberOf("step") || (2.5 * numberOf("radius")) / numberOf("steps");
  return Number.isFinite(length) ? { parameter, length } : undefined;
}

const nameOf = (entry: Attack, role: ParameterRole): string | undefined =>
  Object.entries(entry.params.properties).find(([, schema]) => schema["role"] === role)?.[0];
