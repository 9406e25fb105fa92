import { createHash } from "node:crypto";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { count, epsilon, percent, plural } from "../../shared/format.ts";
import type { PreviewItem, PreviewState } from "../../shared/previews.ts";
import { requests } from "../../shared/protocol.ts";
import { adversarialThumbnail, attackKeys, slug } from "../../shared/runs.ts";
import { type FoundData, imagesIn } from "../data.ts";
import { isInside } from "../files.ts";
import { picturesKind } from "../fit.ts";
import type { Services } from "../services.ts";
import { ofAll, readUnlabelled, type UnlabelledPictures } from "../unlabelled.ts";
import { requireTrust, rootFolder, rootFolders, shortPath, storageFolder } from "../workspace.ts";

/** What a page of pictures shows; `base` is a folder, and `files` holds the paths of items that are files of the workspace. */
export type Shown = Pick<PreviewState, "title" | "subtitle" | "notes" | "skipped" | "groups" | "grouping" | "items" | "total"> & {
  readonly base: string;
  readonly files: readonly string[];
};

/** Images of a data set that are in no files of their own: so many are shown. */
const mostImages = 400;
/** Where those are written. */
export const previewFolder = (): string => path.join(storageFolder(), "preview");

export const dataPictures = (services: Services, data: FoundData): Promise<Shown> =>
  data.kind === picturesKind ? unlabelledPictures(data) : labelledPictures(services, data);

async function unlabelledPictures({ directory, label }: FoundData): Promise<Shown> {
  const names = await imagesIn(directory);
  return {
    title: label,
    subtitle: `${shortPath(directory)} · ${plural(names.length, "picture")} without labels`,
    notes: ["Nobody labelled these pictures. Put those of each class into a folder of its name, or add a labels.csv, to measure accuracy."],
    skipped: [],
    groups: [],
    grouping: "pictures",
    items: names.map((name) => ({ file: encodeURIComponent(name), name, group: 0 })),
    total: names.length,
    base: directory,
    files: names.map((name) => path.join(directory, name)),
  };
}

const addressOf = (relative: string): string => relative.split(path.sep).map(encodeURIComponent).join("/");

async function labelledPictures(services: Services, data: FoundData): Promise<Shown> {
  requireTrust();
  const key = createHash("sha256").update(data.spec).digest("hex").slice(0, 8);
  const directory = path.join(previewFolder(), `${slug(data.label)}-${key}`);
  const params = { dataset: data.spec, workspace: rootFolder(data.directory), directory, limit: mostImages };
  const { classNames, counts, total, inputShape, notes, skipped, images, areFiles } = await services.engine.request(
    requests.previewDataset,
    params,
  );
  const base = areFiles ? data.directory : directory;
  const items: PreviewItem[] = images.map(({ file, label }) => {
    const relative = path.relative(base, file);
    return { file: addressOf(relative), name: relative, group: label };
  });
  const size = areFiles ? [] : [inputShape.join(" × ")];
  return {
    title: data.label,
    subtitle: [shortPath(data.directory), plural(total, "picture"), plural(classNames.length, "class", "classes"), ...size].join(" · "),
    notes,
    skipped,
    groups: classNames.map((name, i) => ({ name, count: counts[i] ?? 0 })),
    grouping: "classes",
    items,
    total,
    base,
    files: areFiles ? images.map(({ file }) => file) : [],
  };
}

/** Pictures without labels after an attack: which predictions changed. @throws RUN_INVALID */
export async function changedPictures(directory: string): Promise<Shown> {
  const read = await readUnlabelled(directory);
  if (!read) throw new BulwarkError("RUN_INVALID", "This run has no pictures to show.", "Evaluate the model again.");
  const { pictures, document } = read;
  const nameOf = (index: number): string => pictures.classNames?.[index] ?? String(index);
  const [key = document.attack.id] = attackKeys([document.attack.id]);
  const items = document.images.map(({ index, cleanPrediction, prediction }): PreviewItem => {
    const changed = cleanPrediction !== prediction;
    return {
      file: adversarialThumbnail("attacked", key, index),
      name: pictures.names[index] ?? String(index),
      group: changed ? 0 : 1,
      note: changed ? `${nameOf(cleanPrediction)} → ${nameOf(prediction)}` : `still ${nameOf(prediction)}`,
    };
  });
  const changed = items.filter(({ group }) => group === 0).length;
  const eps = document.attack.params["eps"];
  const attack = document.label ?? `${document.attack.id}${typeof eps === "number" ? `, ε ${epsilon(eps)}` : ""}`;
  return {
    title: path.basename(pictures.folder),
    subtitle: `${attack} changed ${count(changed)} of ${plural(items.length, "prediction")} (${percent(changed / items.length)})`,
    notes: [
      ...(items.length < pictures.of
        ? [`${ofAll(items.length, pictures.of)} of the folder were attacked, spread evenly over the names.`]
        : []),
      "These pictures have no labels: the model's own predictions count as the truth, right or wrong. Accuracy would be 100 % by construction and is not reported.",
    ],
    skipped: [],
    groups: [
      { name: "Changed", count: changed },
      { name: "Unchanged", count: items.length - changed },
    ],
    grouping: "pictures",
    items,
    total: items.length,
    base: directory,
    files: areOfWorkspace(pictures) ? pictures.names.map((name) => path.join(pictures.folder, name)) : [],
  };
}

/** A run of somebody else may name any file: those outside the open folders are not opened from here. */
const areOfWorkspace = ({ folder, names }: UnlabelledPictures): boolean =>
  names.every((name) => rootFolders().some((root) => isInside(root, path.join(folder, name))));
