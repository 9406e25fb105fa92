/** Names inside a run folder `.bulwark/runs/<runId>/`: one source for engine, extension and command line. */
export const runFiles = {
  experiment: "experiment.json",
  events: "events.jsonl",
  state: "state.json",
  /** The lock of the process that works on the run, and a request to that process to stop; see driver.ts. */
  driver: "driver.json",
  cancel: "cancel.json",
  model: "model",
  images: "images",
  report: "report.json",
  reportHtml: "report.html",
  reportMarkdown: "report.md",
  /** The document of a single attack (right-click, or `bulwark attack`). */
  result: "result.json",
  adversarial: "adversarial.npz",
  /** Which images the run is about, by their identity. */
  dataset: "dataset.json",
  /** What every attack did to every image, in columns. */
  ledger: "ledger.npz",
  /** What `bulwark predict`, `defend` and `detect` write beside `result.json`. */
  predictions: "predictions.npz",
  defended: "defended.npz",
  detection: "detection.npz",
  /** Attention of one picture as arrays. */
  map: "map.npz",
  /** Superpixels of one picture, the samples of them and what was fitted. */
  superpixels: "lime.npz",
  /** The adversarial patch of a single attack or of a training, and what `PatchDocument` says of it. */
  patch: "patch.png",
  patchDocument: "patch.json",
} as const;

/**
 * Whether a name that a file of a run folder says means something inside that folder, on any system, and is no address; links are another
 * matter.
 */
export const isNameInside = (name: string): boolean =>
  !/^[/\\]|^[a-z][a-z\d+.-]*:|\0/i.test(name) && !name.split(/[/\\]/).some((part) => part === "..") && /[^./\\]/.test(name);

export const workspaceFolder = ".bulwark";
export const runsFolder = ".bulwark/runs";
export const dataFolder = ".bulwark/data";
/**
 * On the way to a folder, what Bulwark itself makes: every `.bulwark`, and what lies directly in it. A link there leads out of the folder that
 * was opened. @param directory absolute
 */
export function workspacePlaces(directory: string, separator: string): string[] {
  const parts = directory.split(separator);
  return parts.flatMap((part, i) =>
    part === workspaceFolder || parts[i - 1] === workspaceFolder ? [parts.slice(0, i + 1).join(separator)] : [],
  );
}
/** `.bulwark/.gitignore`: nothing in the folder belongs into a repository. */
export const gitignoreText = "*\n";

/** The arm's own model folder: the first arm is `model/`, further arms `model-<name>/`. */
export const armModelFolder = (armIndex: number, armName: string): string =>
  armIndex === 0 ? runFiles.model : `${runFiles.model}-${slug(armName)}`;
/** `adversarial-<attack>.npz`, with the arm in front for every arm but the first. */
export const armAdversarialFile = (armIndex: number, armName: string, attackKey: string): string =>
  `adversarial-${armIndex === 0 ? "" : `${slug(armName)}-`}${slug(attackKey)}.npz`;

/** `records-<attack>.json`: an AttackDocument with a record for every image; the arm in front for every arm but the first. */
export const armRecordsFile = (armIndex: number, armName: string, attackKey: string): string =>
  `records-${armIndex === 0 ? "" : `${slug(armName)}-`}${slug(attackKey)}.json`;
/** `detector-<detector>-<attack>[-adaptive].npz`: scores of clean and adversarial images; the arm in front for every arm but the first. */
export const armDetectorFile = (armIndex: number, armName: string, detectorKey: string, attackKey: string, isAdaptive: boolean): string =>
  `detector-${armIndex === 0 ? "" : `${slug(armName)}-`}${slug(detectorKey)}-${slug(attackKey)}${isAdaptive ? "-adaptive" : ""}.npz`;
/** `<stem>-<key>.npz`: arrays of an analysis, such as `attention-study-pgd.npz`; the arm in front of the key for every arm but the first. */
export const armArraysFile = (armIndex: number, armName: string, stem: string, key: string): string =>
  `${stem}-${armIndex === 0 ? "" : `${slug(armName)}-`}${slug(key)}.npz`;
/** Files `<stem>.*` of what an attack prepared on an arm: `patch-<arm>-<attack>.png` and `.json`. */
export const armPreparationStem = (noun: string, armName: string, attackKey: string): string =>
  `${noun}-${slug(armName)}-${slug(attackKey)}`;
/** Thumbnails inside `images/`: the clean picture is shared by all arms and attacks. Written for the first `thumbnailCount` images. */
export const thumbnailCount = 64;
export const cleanThumbnail = (index: number): string => `${runFiles.images}/clean-${index}.png`;
export const adversarialThumbnail = (armName: string, attackKey: string, index: number): string =>
  `${runFiles.images}/${slug(armName)}-${slug(attackKey)}-${index}.png`;
/** One name for each attack of an experiment, in order: the id, and "pgd-2", "pgd-3" … when it appears again. */
export function attackKeys(ids: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return ids.map((id) => {
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    return count === 1 ? id : `${id}-${count}`;
  });
}

/** Name of an attack's images when they are only transferred from the undefended arm. */
export const staticKey = (attackKey: string): string => `${attackKey}-static`;

/** Letters, digits and dashes, safe as a file name on every system. */
export const slug = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60) || "unnamed";

/** "interrupted" and "elsewhere" (running on another machine) are never written: the lock beside `state.json` tells them. */
export type RunStatus = "running" | "done" | "failed" | "cancelled" | "interrupted" | "elsewhere";
export const runKinds = ["experiment", "attack", "explain", "rank", "train", "evaluate", "patch", "predict", "defend", "detect"] as const;
export type RunKind = (typeof runKinds)[number];

/** `state.json`: how far a run is. Its finished pieces are those that have a folder (plan.ts). */
export interface RunState {
  readonly version: 1;
  readonly run: string;
  readonly kind: RunKind;
  readonly title: string;
  readonly status: RunStatus;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Hash of what was asked for, where the same request may write into the folder again. */
  readonly request?: string;
  /** 0…1, for the tree. */
  readonly progress: number;
  /** One headline figure, such as "clean 98.6 % · pgd 0.2 %". */
  readonly headline: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly fix: string | null } | null;
}
