import path from "node:path";
import * as vscode from "vscode";
import { settings } from "../../shared/contributions.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { requests } from "../../shared/protocol.ts";
import { fields } from "../../shared/shapes.ts";
import { scoresAttack } from "../choose.ts";
import { runCli } from "../cli.ts";
import { imagesIn } from "../data.ts";
import { readWhole } from "../files.ts";
import { previewPanel } from "../panels/preview.ts";
import { dropEmpty, newRunDirectory } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { ofAll, writeUnlabelled } from "../unlabelled.ts";
import { rootFolder, setting } from "../workspace.ts";

/** Pictures of one such run: their files are words of one command line. */
const mostPictures = 64;

export interface UnlabelledRequest {
  readonly model: string;
  readonly folder: string;
  readonly eps: number;
}

/** So many of a list, from all of it: files that were numbered in a row often show the same thing. */
const evenly = <T>(items: readonly T[], most: number): readonly T[] =>
  items.length <= most ? items : Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)] as T);

/**
 * Attacks pictures that nobody labelled. The model's own predictions count as the truth, so that its accuracy is 100 % by construction and is
 * reported nowhere; the result says how many predictions the attack changes, and which.
 */
export async function evaluateUnlabelled(services: Services, { model, folder, eps }: UnlabelledRequest): Promise<unknown> {
  const all = await imagesIn(folder);
  const names = evenly(all, mostPictures);
  if (names.length === 0) throw new BulwarkError("DATASET_EMPTY", `${folder} holds no pictures.`, "Choose another folder.");
  const { classNames, forwardOnly, inputShape } = await services.engine.request(requests.inspectModel, { model });
  const directory = newRunDirectory(rootFolder(model), `pictures of ${path.basename(folder)}`);
  const images = names.map((name) => path.join(folder, name));
  const pgd = { id: "pgd", params: { eps, steps: 40, stepSize: eps / 16 } };
  const attack = forwardOnly === undefined ? pgd : scoresAttack(inputShape.slice(1));
  const strength = Object.entries(attack.params).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const compute = ["--backend", setting(settings.backend, "auto"), "--device", setting(settings.device, "auto")];
  const words = ["attack", "--model", model, "--image", ...images, "--no-label", "--attack", attack.id, ...strength, ...compute];
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `Attacking ${ofAll(names.length, all.length)}`,
    cancellable: true,
  };
  try {
    await vscode.window.withProgress(options, (progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort());
      const onLine = (message: string): void => progress.report({ message });
      return runCli(services, { words: [...words, "--out", directory, "--json"], cwd: rootFolder(model), signal: abort.signal, onLine });
    });
  } catch (thrown) {
    await dropEmpty(directory);
    throw thrown;
  }
  await writeUnlabelled(directory, { model, folder, names, of: all.length, classNames });
  services.runs.refresh();
  await previewPanel.open(services, { kind: "changed", directory }).read();
  return readWhole(path.join(directory, "result.json"), fields);
}
