import { BulwarkError } from "../../shared/errors.ts";
import type { Bound, Entry } from "./entry.ts";
import { type Params, resolveParams } from "./params.ts";

/**
 * A choice inside an entry's parameters with the strength that stands beside it (eps, steps, …), where it has parameters of those names.
 * @param said the entry, its parameter that holds the choice, and what the choice is called in messages
 * @throws PARAMETER_INVALID for a strength that is given at both places, or that the choice refuses
 */
export function withStrength<E extends Entry>(
  { entry, id, params: inner }: Bound<E>,
  beside: Params,
  { owner, place, words }: { readonly owner: string; readonly place: string; readonly words: string },
): Bound<E> {
  const { properties } = entry.params;
  const outer = Object.entries(beside).filter(([name]) => name in properties);
  for (const [name, value] of outer) {
    const given = inner[name];
    if (given === properties[name]?.["default"] || given === value) continue;
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `${owner}: ${name} is ${given} in ${words} and ${value} beside it.`,
      `Write ${name} beside "${place}", not inside it.`,
    );
  }
  const params = { ...inner, ...Object.fromEntries(outer) };
  const plain = Object.fromEntries(Object.entries(params).filter(([name]) => properties[name]?.["registry"] === undefined));
  resolveParams(entry.params, plain, `${owner}: ${id}`); // choices inside are bound already
  return { id, entry, params };
}
