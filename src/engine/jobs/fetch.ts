import path from "node:path";
import { dataFolder } from "../../shared/runs.ts";
import type { RunContext } from "../context.ts";
import { fetchDataset } from "../datasets/fetch.ts";
import { makeFolder } from "../io/folders.ts";

/** Fetches a data set into `<workspace>/.bulwark/data/<kind>`. @throws UNKNOWN_ID, NETWORK, CHECKSUM, DISK_FULL */
export async function fetch(
  o: { readonly dataset: string; readonly workspace: string; readonly directory?: string | undefined },
  ctx: RunContext,
): Promise<{ dataset: string; path: string }> {
  const destination = o.directory ? path.resolve(o.directory) : path.join(o.workspace, dataFolder, o.dataset);
  makeFolder(destination);
  await fetchDataset(o.dataset, destination, ctx);
  return { dataset: o.dataset, path: destination };
}
