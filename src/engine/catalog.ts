import type { Catalog, CatalogEntry, CatalogKind, ParametersSchema } from "../shared/catalog.ts";
import { catalogKinds } from "../shared/catalog.ts";
import { BulwarkError } from "../shared/errors.ts";
import { suggestion } from "../shared/nearest.ts";
import type { Attack, Entry } from "./define/index.ts";
import { completed, registry } from "./registry.ts";

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
  const facts = kind === "attack" ? attackFacts(entry as Attack) : {};
  return { kind, id: entry.id, title: entry.title, paper: entry.paper, params, ...inFront, ...facts };
}

/** Of the size that the catalogue takes for granted where only a norm is asked for. */
const someShape = [32, 32, 3] as const;

function attackFacts(attack: Attack): Pick<CatalogEntry, "iterative" | "access" | "norm"> {
  const { iterative, access } = attack;
  return { iterative, access, norm: attack.ball(completed(attack, {}), { inputShape: someShape }).norm };
}
