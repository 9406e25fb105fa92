import * as vscode from "vscode";
import { BulwarkError } from "../shared/errors.ts";
import { pick } from "./choose.ts";
import { fetchable, fetchDataset } from "./commands/fetchDataset.ts";
import { type FoundData, findData } from "./data.ts";
import { isRecord } from "./files.ts";
import { knownSets, type ModelShape, misfit, picturesKind } from "./fit.ts";
import type { Services } from "./services.ts";

/** A data set by its name, or what a page or a script hands over; menus hand other things as second argument. */
export const specOf = (options: unknown): string | undefined => {
  const named = isRecord(options) ? options["spec"] : options;
  return typeof named === "string" ? named : undefined;
};

type Choice = vscode.QuickPickItem & { readonly spec?: string; readonly fetch?: string };

/**
 * Asks for the pictures that a model is evaluated on, as `kind` or `kind:path`. What fits the model comes first; what may not says why; what
 * can be fetched is fetched, and then goes on. One that fits: no question. @throws DATASET_EMPTY, CANCELLED
 */
export async function askData(services: Services, shape: ModelShape, wanted: "all" | "labelled" = "all"): Promise<string> {
  const all = (await findData()).filter(({ kind }) => wanted === "all" || kind !== picturesKind);
  const found = all.map((data) => ({ data, why: misfit(data, shape) }));
  const labelled = found.filter(({ data, why }) => why === null && data.kind !== picturesKind);
  const [only] = labelled;
  if (only && labelled.length === 1) return only.data.spec;
  const offered = choices(found, shape);
  if (offered.length === 0)
    throw new BulwarkError(
      "DATASET_EMPTY",
      "There are no pictures in this folder.",
      "Add some, in one folder for each class or without labels.",
    );
  const chosen = await pick(offered, "Evaluate on which pictures?");
  if (chosen.fetch !== undefined) await fetchDataset(services, chosen.fetch);
  return chosen.spec ?? chosen.fetch ?? "";
}

function choices(found: readonly { readonly data: FoundData; readonly why: string | null }[], shape: ModelShape): Choice[] {
  const group = (label: string, items: readonly Choice[]): Choice[] =>
    items.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...items];
  const item = ({ data, why }: (typeof found)[number]): Choice => ({
    label: data.label,
    description: data.detail,
    spec: data.spec,
    ...(why === null ? {} : { detail: `May not fit: ${why}.` }),
  });
  const isUnlabelled = ({ data }: (typeof found)[number]): boolean => data.kind === picturesKind;
  const unlabelled = found.filter(isUnlabelled).map(
    (one): Choice => ({
      ...item(one),
      detail: "The model's own predictions count as the truth: what is counted is how many of them an attack changes.",
    }),
  );
  const missing = fetchable.filter(({ kind }) => !found.some(({ data }) => data.kind === kind));
  const fits = (kind: string): boolean => knownSets[kind]?.input.every((size, i) => (shape.input[i] ?? size) === size) === true;
  const offers = missing
    .filter(({ kind }) => fits(kind))
    .map(({ kind, label, detail }): Choice => ({ label: `$(cloud-download) Fetch ${label}`, description: detail, fetch: kind }));
  const labelled = found.filter((one) => !isUnlabelled(one));
  return [
    ...group("Fits the model", labelled.filter(({ why }) => why === null).map(item)),
    ...group("Without labels", unlabelled),
    ...group("Not here yet", offers),
    ...group("May not fit", labelled.filter(({ why }) => why !== null).map(item)),
  ];
}
