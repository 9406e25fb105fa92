import type { Catalog, CatalogEntry, CatalogKind, ParametersSchema } from "../shared/catalog.ts";
import { catalogKinds } from "../shared/catalog.ts";
import { BulwarkError } from "../shared/errors.ts";
import { suggestion } from "../shared/nearest.ts";
import type { Entry } from "./define/index.ts";
import { registry } from "./registry.ts";

/** The registries as plain data: JSON schemas with their defaults, no functions, no TypeBox symbols. */
export function catalog(): Catalog {
  return catalogKinds.flatMap((kind) => registry[kind].map((entry) => plain(kind, entry)));
}

/** The entries of one kind, or of all. @throws UNKNOWN_ID */
export function list(kind?: string): Catalog {
  if (kind === undefined) return catalog();
  const known: readonly string[] = catalogKinds;
  if (!known.includes(kind)) throw new BulwarkError("UNKNOWN_ID", `There is no kind "${kind}".`, suggestion(kind, known, "Kinds"));
  return catalog().filter((entry) => entry.kind === kind);
}

function plain(kind: CatalogKind, entry: Entry): CatalogEntry {
  const { properties, required } = JSON.parse(JSON.stringify(entry.params)) as ParametersSchema; // drops TypeBox's symbols
  const needed = (required ?? []).filter((name) => properties[name]?.default === undefined);
  const params: ParametersSchema = { type: "object", properties, ...(needed.length > 0 ? { required: needed } : {}) };
  const inFront = "kind" in entry && entry.kind === "inference" ? { inFront: true as const } : {};
  return { kind, id: entry.id, title: entry.title, paper: entry.paper, params, ...inFront };
}
