/** What the engine is asked about a data set, and answers, so that people can look at it. */
export interface PreviewDatasetParams {
  /** `kind` or `kind:path`. */
  readonly dataset: string;
  /** Where `.bulwark/` is. */
  readonly workspace: string;
  /** Folder for the images that are in no files of their own; at most `limit` of them. */
  readonly directory: string;
  readonly limit: number;
}
export interface DatasetPreview {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classNames: readonly string[];
  /** Images of each class, training images among them. */
  readonly counts: readonly number[];
  readonly total: number;
  /** What was decided about the data, in sentences. */
  readonly notes: readonly string[];
  /** Files that were left out; relative to the data set. */
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  /** Absolute paths. */
  readonly images: readonly { readonly file: string; readonly label: number }[];
  /** `images` are the data set's own files, all of them. */
  readonly areFiles: boolean;
}
