import type { PanelError } from "./panels.ts";

export type { PreviewIntent } from "./intents.ts";

/** State of the page that shows many pictures: a data set, or what an attack did to unlabelled ones. */
export interface PreviewItem {
  /** File under `base`, or an address of its own. */
  readonly file: string;
  readonly name: string;
  /** Index into `groups`. */
  readonly group: number;
  /** Such as "cat → dog". */
  readonly note?: string;
}
export interface PreviewGroup {
  readonly name: string;
  readonly count: number;
}
export interface PreviewState {
  /** By which the page is found again after a reload. */
  readonly runId: string;
  readonly status: "loading" | "ready" | "failed";
  readonly title: string;
  readonly subtitle: string;
  /** What is said of the data, in sentences. */
  readonly notes: readonly string[];
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  /** Classes, or what became of the pictures. */
  readonly groups: readonly PreviewGroup[];
  /** In words: "classes". */
  readonly grouping: string;
  readonly items: readonly PreviewItem[];
  /** All pictures there are; `items` may hold the first of them. */
  readonly total: number;
  /** Webview URI that the files of items are under. */
  readonly base: string;
  /** The pictures are files of the workspace: each opens, and can be attacked. */
  readonly areFiles: boolean;
  readonly canEvaluate: boolean;
  readonly error: PanelError | null;
}
export type PreviewUpdate = never;
