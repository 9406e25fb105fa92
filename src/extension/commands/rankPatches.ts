import { askImage, lastAttack } from "../choose.ts";
import { findModels } from "../models.ts";
import { inspectorPanel } from "../panels/inspector/inspector.ts";
import type { Services } from "../services.ts";
import { activeImage, toPath } from "../workspace.ts";

/** The paper's, with slices that divide the image. */
const defaults = { patch: "auto", measure: "mutualInformation", order: "asc", reference: "mostSalient", onRemainder: "error" } as const;

/** Needs no model: what is ranked are the image's own slices. */
export async function rankPatches(services: Services, resource?: unknown): Promise<unknown> {
  const image = toPath(resource) ?? activeImage() ?? (await askImage());
  const [model] = await findModels(services.runs);
  const request = {
    image,
    model: model?.path ?? "",
    attack: lastAttack(services, model?.path ?? "") ?? { id: "fgsm", params: {} },
    defenses: [],
    isIdle: true,
  };
  return (await inspectorPanel.find(services, request)).card("ranking", defaults);
}
