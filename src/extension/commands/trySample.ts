import { firstAttack } from "../choose.ts";
import { inspectorPanel } from "../panels/inspector/inspector.ts";
import { sampleOf } from "../samples.ts";
import type { Services } from "../services.ts";

/** A picture that comes with the extension, attacked at once: nothing has to be open, and no later choice is touched by it. */
export async function trySample(services: Services, name?: unknown): Promise<unknown> {
  const { image, model } = sampleOf(services.context.extensionPath, typeof name === "string" ? name : "photos");
  const request = { image, model, attack: await firstAttack(model), defenses: [] };
  return (await inspectorPanel.find(services, request)).attack(request);
}
