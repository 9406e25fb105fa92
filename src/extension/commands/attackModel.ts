import { askAttack, askImage, chooseModel, rememberModel } from "../choose.ts";
import type { Services } from "../services.ts";
import { toPath } from "../workspace.ts";
import { attackImage } from "./attackImage.ts";

/** An image of the folder against this model. */
export async function attackModel(services: Services, resource?: unknown): Promise<unknown> {
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  rememberModel(services, model);
  const image = await askImage();
  const attack = await askAttack(services, model);
  return attackImage(services, image, { model, attack: attack.id, params: attack.params });
}
