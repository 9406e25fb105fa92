import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import { fitToModel, locateDataset, parseDataset } from "../datasets/resolve.ts";
import { type Dataset, type Params, resolveParams } from "../define/index.ts";
import { find } from "../registry.ts";

/**
 * A data set by its name, `kind`, `kind:path` or `kind:path?parameter=value`, at the size of the model's images where one is given.
 * @throws USAGE, UNKNOWN_ID, PARAMETER_INVALID, FILE_NOT_FOUND, and what the data set throws
 */
export async function loadNamed(
  name: string,
  workspace: string,
  model: Classifier | null,
  ctx: RunContext,
): Promise<{ readonly kind: string; readonly dataset: Dataset }> {
  const { kind, path, params = {} } = parseDataset(name, workspace);
  const entry = find("dataset", kind);
  const given = { ...typedParams(entry.params.properties, params), path: await locateDataset(kind, path, workspace) };
  const fitted = model ? fitToModel(entry.params, given, model.inputShape, model.contract.input) : given;
  return { kind, dataset: await entry.load(resolveParams(entry.params, fitted, kind), ctx) };
}

/** Texts as numbers or truth values where the schema wants those; what does not fit is left for the schema to refuse. */
function typedParams(properties: Readonly<Record<string, Params>>, given: Readonly<Record<string, string>>): Params {
  return Object.fromEntries(
    Object.entries(given).map(([key, text]) => {
      const type = properties[key]?.["type"];
      if (type === "boolean") return [key, text === "true" ? true : text === "false" ? false : text];
      const isNumber = (type === "number" || type === "integer") && text.trim() !== "" && Number.isFinite(Number(text));
      return [key, isNumber ? Number(text) : text];
    }),
  );
}
