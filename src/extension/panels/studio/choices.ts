import path from "node:path";
import * as vscode from "vscode";
import { entriesOf } from "../../../shared/catalog.ts";
import { imageExtensions } from "../../../shared/contributions.ts";
import type { PatchImages } from "../../../shared/patch.ts";
import type { StudioChoice, StudioImage, StudioSettings } from "../../../shared/patchStudio.ts";
import { findData, imagesIn } from "../../data.ts";
import { findModels } from "../../models.ts";
import type { Services } from "../../services.ts";
import { shortPath } from "../../workspace.ts";

const folderPrefix = "files:";
const mostImages = 200;

export const modelChoices = async (services: Services): Promise<StudioChoice[]> =>
  (await findModels(services.runs)).map(({ path: value, label }) => ({ value, text: label }));

/** Pictures of the workspace that a patch can be placed on. */
export async function imageChoices(uri: (file: string) => string): Promise<StudioImage[]> {
  const files = await vscode.workspace.findFiles(`**/*.{${imageExtensions.join(",")}}`, "**/{node_modules,.git,.bulwark}/**", mostImages);
  return files
    .map(({ fsPath }) => ({ value: fsPath, text: shortPath(fsPath), uri: uri(fsPath) }))
    .sort((a, b) => a.text.localeCompare(b.text));
}

/** Data sets first, then the folders that hold the pictures. */
export async function sourceChoices(images: readonly StudioImage[], own: string): Promise<StudioChoice[]> {
  const data = (await findData()).map(({ spec, label, detail }) => ({ value: spec, text: `${label} (${detail})` }));
  const folders = new Map<string, number>();
  for (const { value } of images) folders.set(path.dirname(value), (folders.get(path.dirname(value)) ?? 0) + 1);
  if (own.startsWith(folderPrefix)) {
    const folder = own.slice(folderPrefix.length);
    if (!folders.has(folder)) folders.set(folder, (await imagesIn(folder)).length);
  }
  const pictures = [...folders].map(([folder, n]) => ({ value: sourceOf(folder), text: `${n} pictures of ${shortPath(folder)}` }));
  return [...data, ...pictures];
}
export const sourceOf = (folder: string): string => `${folderPrefix}${folder}`;

/** The images behind a source, to train on or to try on. */
export async function imagesOf({ source, limit }: StudioSettings, split: "train" | "test"): Promise<PatchImages> {
  if (!source.startsWith(folderPrefix)) return { dataset: source, split, limit };
  const folder = source.slice(folderPrefix.length);
  return { files: (await imagesIn(folder)).map((name) => path.join(folder, name)), limit };
}

/** Settings that give a patch in about a minute; all others are the attack's own. */
export function firstSettings(services: Services, models: readonly StudioChoice[], sources: readonly StudioChoice[]): StudioSettings {
  const properties = attackSchema(services).properties;
  const params = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, schema.default]));
  const [model] = models;
  const shown = { target: 0, steps: 200 };
  return {
    trainModel: model?.value ?? "",
    tryModel: model?.value ?? "",
    source: sources[0]?.value ?? "",
    limit: 256,
    params: { ...params, ...shown },
  };
}

export const attackSchema = (services: Services) =>
  entriesOf(services.catalog.current, "attack").find((entry) => entry.id === "adversarialPatch")?.params ?? {
    type: "object" as const,
    properties: {},
  };
