import { count, plural } from "../../../src/shared/format.ts";
import type { ModelState } from "../../../src/shared/pages.ts";
import { fill, h, onChange, type Part } from "../../lib/dom.ts";
import { dataTable } from "../../lib/facts.ts";
import { section } from "../../lib/ui.ts";
import { shapeText } from "../layers.ts";

type Layer = NonNullable<ModelState["inspection"]>["layers"][number] & { readonly parameters?: number };

/** Layers in network order, with the shape that each gives out and the weights of its own. */
export function layers(): Part<ModelState> {
  const element = h("div");
  const draw = onChange((inspection: ModelState["inspection"]) => {
    const known: readonly Layer[] = inspection?.layers ?? [];
    const rows = known.map(({ name, type, outputShape, parameters }) => [
      name,
      type,
      shapeText(outputShape.slice(1)),
      parameters === undefined ? "–" : count(parameters),
    ]);
    const table = dataTable("Layers", ["Layer", "Type", "Output", "Parameters"], rows);
    table.classList.add("tall");
    fill(element, section(plural(known.length, "layer"), true, table));
  });
  return { element, update: ({ inspection }) => draw(inspection) };
}
