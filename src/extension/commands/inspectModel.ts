import { chooseModel } from "../choose.ts";
import { modelPanel } from "../panels/model.ts";
import type { Services } from "../services.ts";
import { toPath } from "../workspace.ts";

/** The page of a model: layers, contract, classes, results. */
export async function inspectModel(services: Services, resource?: unknown): Promise<unknown> {
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  return (await modelPanel.find(services, model)).read();
}
