import { BulwarkError } from "../../shared/errors.ts";
import { pick } from "../choose.ts";
import { type FoundData, findData } from "../data.ts";
import { isRecord } from "../files.ts";
import { previewPanel } from "../panels/preview.ts";
import type { Services } from "../services.ts";

/** The pictures of a data set with their labels, counts and what was left out. */
export async function previewData(services: Services, argument?: unknown): Promise<unknown> {
  const found = await findData();
  const wanted = isRecord(argument) && typeof argument["spec"] === "string" ? argument["spec"] : argument;
  const data = found.find(({ spec }) => spec === wanted) ?? (await ask(found));
  return (await previewPanel.find(services, { kind: "data", data })).read();
}

async function ask(found: readonly FoundData[]): Promise<FoundData> {
  if (found.length === 0)
    throw new BulwarkError("DATASET_EMPTY", "There is no data in this folder.", "Fetch a data set, or add a folder for each class.");
  const items = found.map((data) => ({ label: data.label, description: data.detail, data }));
  return (await pick(items, "Preview which data?")).data;
}
