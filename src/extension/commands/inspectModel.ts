import path from "node:path";
import { count } from "../../shared/format.ts";
import { type ModelInspection, requests } from "../../shared/protocol.ts";
import { chooseModel } from "../choose.ts";
import { showText } from "../documents.ts";
import type { Services } from "../services.ts";
import { requireTrust, toPath } from "../workspace.ts";

export async function inspectModel(services: Services, resource?: unknown): Promise<unknown> {
  requireTrust();
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  const inspection = await services.engine.request(requests.inspectModel, { model });
  await showText(`${path.basename(path.dirname(model))} model.md`, describe(model, inspection));
  return inspection;
}

function describe(model: string, { format, inputShape, classes, parameters, layers, warnings }: ModelInspection): string {
  const shape = (dimensions: readonly (number | null)[]): string => dimensions.map((size) => size ?? "?").join(" × ");
  const rows = layers.map((layer) => `| ${layer.name} | ${layer.type} | ${shape(layer.outputShape)} |`);
  return [
    `# ${path.basename(path.dirname(model))}`,
    "",
    `${format} · input ${shape(inputShape)} · ${classes} classes · ${count(parameters)} parameters`,
    "",
    ...warnings.map((warning) => `> ${warning}`),
    ...(warnings.length > 0 ? [""] : []),
    "| Layer | Type | Output |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
