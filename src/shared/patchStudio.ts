import type { ParametersSchema } from "./catalog.ts";
import type { CommonIntent, PanelError } from "./panels.ts";
import type {
  ApplyPatchResult,
  ExportPatchParams,
  ExportPatchResult,
  PatchDocument,
  PatchPlacement,
  PatchStep,
  PatchSuccessMapResult,
  PatchTransforms,
  PreviewPatchResult,
} from "./patch.ts";

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
export type StudioIntent =
  | CommonIntent
  | { readonly kind: "settings"; readonly settings: StudioChange }
  /** `goOn`: at the last checkpoint of the training that was stopped. */
  | { readonly kind: "train"; readonly goOn: boolean }
  | { readonly kind: "cancel"; readonly what: "train" | "preview" | "map" }
  /** Asks for a folder of pictures to train on. */
  | { readonly kind: "chooseFolder" }
  /** Asks for a picture to place the patch on, or takes one of `images`. */
  | { readonly kind: "image"; readonly file: string | null }
  /** Asks for a patch or a sticker. */
  | { readonly kind: "choosePatch" }
  | { readonly kind: "sticker"; readonly area: number; readonly target: number }
  | { readonly kind: "place"; readonly placement: PatchPlacement }
  | { readonly kind: "preview"; readonly count: number; readonly transforms: PatchTransforms; readonly seed: number }
  | { readonly kind: "map"; readonly stride: number; readonly rotation: number; readonly scale: number; readonly images: number }
  | {
      readonly kind: "export";
      readonly centimetres: number;
      readonly dpi: number;
      readonly upscaling: NonNullable<ExportPatchParams["upscaling"]>;
      readonly background: NonNullable<ExportPatchParams["background"]>;
    }
  | { readonly kind: "reveal"; readonly file: string };

/** Where studios keep their sessions; patches that were trained lie in run folders of their own. */
export const studioFolder = ".bulwark/studio";
