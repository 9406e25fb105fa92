import type { ParametersSchema } from "./catalog.ts";
import type { PanelError } from "./panels.ts";
import type {
  ApplyPatchResult,
  ExportPatchResult,
  PatchDocument,
  PatchPlacement,
  PatchStep,
  PatchSuccessMapResult,
  PreviewPatchResult,
} from "./patch.ts";

export type { StudioIntent } from "./intents.ts";

/** Contract of the Patch Studio's webview; see panels.ts for how webviews and host talk. Files are relative to `base`, the session's folder. */
export interface StudioState {
  /** Name of the session's folder under `.bulwark/studio`. */
  readonly session: string;
  readonly base: string;
  readonly models: readonly StudioChoice[];
  /** What a patch can be trained or judged on: data sets, and folders of pictures. */
  readonly sources: readonly StudioChoice[];
  /** Pictures that a patch can be placed on. */
  readonly images: readonly StudioImage[];
  /** Classes of the model that the patch is tried on; empty until it was loaded. */
  readonly classes: readonly string[];
  /** Parameters of the attack adversarialPatch. */
  readonly schema: ParametersSchema;
  readonly settings: StudioSettings;
  readonly training: StudioTraining | null;
  readonly patch: StudioPatch | null;
  readonly place: StudioPlace | null;
  readonly preview: StudioTask<PreviewPatchResult> | null;
  readonly map: StudioTask<PatchSuccessMapResult> | null;
  readonly exported: StudioTask<ExportPatchResult> | null;
  /** What concerns the whole panel, such as that there is no model. */
  readonly error: PanelError | null;
}
export interface StudioChoice {
  readonly value: string;
  readonly text: string;
}
export interface StudioImage extends StudioChoice {
  readonly uri: string;
}
export interface StudioSettings {
  /** Model that the patch is trained on, and the one it is tried on: another one shows whether it transfers. */
  readonly trainModel: string;
  readonly tryModel: string;
  /** `kind`, `kind:path`, or `files:folder`. */
  readonly source: string;
  /** The first so many images. */
  readonly limit: number;
  readonly params: Readonly<Record<string, unknown>>;
}
/** What a person changed, and nothing else: the host may have changed the rest meanwhile. */
export type StudioChange = Partial<StudioSettings>;
export const withChange = (settings: StudioSettings, change: StudioChange): StudioSettings => ({
  ...settings,
  ...change,
  params: { ...settings.params, ...change.params },
});
export type StudioStatus = "running" | "done" | "failed" | "cancelled" | "interrupted";
export interface StudioTask<Result> {
  readonly status: StudioStatus;
  readonly done: number;
  readonly total: number;
  readonly result: Result | null;
  readonly error: PanelError | null;
}
export interface StudioTraining {
  readonly status: StudioStatus;
  readonly steps: number;
  readonly images: number;
  readonly target: { readonly index: number; readonly name: string } | null;
  readonly history: readonly PatchStep[];
  /** The newest picture of the patch: its file, and the webview's address of it. */
  readonly file: string | null;
  readonly picture: string | null;
  /** Run folder. */
  readonly run: string;
  readonly error: PanelError | null;
}
export interface StudioPatch {
  /** patch.png of a training, or any picture. */
  readonly file: string;
  readonly uri: string;
  readonly name: string;
  /** What is known of a trained patch; null for a sticker. */
  readonly document: PatchDocument | null;
  /** Share of the image that a sticker covers at scale 1, and the class it is meant to show. */
  readonly sticker: { readonly area: number; readonly target: number };
  /** Files of the patch, and the folder they lie in. */
  readonly files: readonly string[];
}
export interface StudioPlace {
  readonly image: string;
  readonly uri: string;
  /** What was asked for last; null puts the patch into the middle. */
  readonly placement: PatchPlacement | null;
  readonly status: StudioStatus;
  /** Of `shown`, which may be an earlier place while a new one is computed. */
  readonly result: ApplyPatchResult | null;
  readonly shown: PatchPlacement | null;
  readonly error: PanelError | null;
}

export type StudioUpdate = { readonly kind: "change"; readonly change: Partial<StudioState> };
/** Files that lie behind what the studio shows, in the order of its list: those of the patch, and the one exported last. */
export const studioFiles = ({ patch, exported }: Pick<StudioState, "patch" | "exported">): readonly string[] => [
  ...(patch?.files ?? []),
  ...(exported?.result ? [exported.result.file] : []),
];

/** Where studios keep their sessions; patches that were trained lie in run folders of their own. */
export const studioFolder = ".bulwark/studio";
