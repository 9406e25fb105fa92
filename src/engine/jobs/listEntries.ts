import path from "node:path";
import { getNodeValue } from "jsonc-parser";
import type { Catalog } from "../../shared/catalog.ts";
import { jsonTree } from "../../shared/jsonTree.ts";
import { catalog } from "../catalog.ts";
import { mostExperiment, pluginNames } from "../experiment/load.ts";
import { readText } from "../io/files.ts";
import { usePlugins } from "../plugins/load.ts";

/**
 * What there is to choose from, with what the plugins of an experiment file add: they are run here.
 * @throws FILE_NOT_FOUND, PLUGIN_INVALID
 */
export async function listEntries({ experiment }: { readonly experiment?: string }): Promise<Catalog> {
  if (experiment !== undefined) {
    const root = jsonTree(await readText(experiment, { most: mostExperiment }));
    const value: unknown = root && getNodeValue(root);
    await usePlugins(pluginNames(value), path.dirname(experiment));
  }
  return catalog();
}
