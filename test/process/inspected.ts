import path from "node:path";
import type { Inspected } from "../../src/shared/cards.ts";
import { type AttackImageResult, requests } from "../../src/shared/protocol.ts";
import type { EngineHandle, Workspace } from "./support.ts";

const samples = path.resolve(import.meta.dirname, "../../samples");
export const image = path.join(samples, "seven.png");
export const model = path.join(samples, "models/papernot");

/** The attack on the sample's picture whose result the Inspector's cards look at. */
export const attackedImage = (engine: EngineHandle, workspace: Workspace): Promise<AttackImageResult> => {
  const attack = { id: "pgd", params: { eps: 0.3, steps: 20, stepSize: 0.03 } };
  return engine.request(requests.attackImage, { image, model, attack, seed: 1, directory: workspace.file("attacked"), token: "attacked" });
};

/** What a card asks about that result. */
export const inspectedOf = (attacked: AttackImageResult, change: Partial<Inspected> & Pick<Inspected, "folder">): Inspected => ({
  image,
  model,
  fit: null,
  defenses: [],
  seed: 1,
  run: attacked.directory,
  iteration: null,
  ...change,
});
