import type { Catalog, CatalogEntry, CatalogKind, ParametersSchema } from "../../shared/catalog.ts";
import { catalogKinds } from "../../shared/catalog.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { Entry } from "../define.ts";
import { registry } from "../registry.ts";

/** The registries as plain data: JSON schemas with their defaults, no functions, no TypeBox symbols. */
export function catalog(): Catalog {
  return catalogKinds.flatMap((kind) => registry[kind].map((entry) => plain(kind, entry)));
}

/** The entries of one kind, or of all. @throws UNKNOWN_ID */
export function list(kind?: string): Catalog {
  if (kind === undefined) return catalog();
  const known: readonly string[] = catalogKinds;
  if (!known.includes(kind)) throw new BulwarkError("UNKNOWN_ID", `There is no kind "${kind}".`, `Kinds: ${catalogKinds.join(", ")}.`);
  return catalog().filter((entry) => entry.kind === kind);
}

function plain(kind: CatalogKind, entry: Entry): CatalogEntry {
  const params = JSON.parse(JSON.stringify(entry.params)) as ParametersSchema; // drops TypeBox's symbols
  return { kind, id: entry.id, title: entry.title, paper: entry.paper, params: { ...params, type: "object" } };
}
