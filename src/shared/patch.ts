import type { ClassScore } from "./protocol.ts";

/**
 * Where and how a patch lies on an image. Lengths are pixels of the image, measured from its top left corner to the middle of the patch:
 * the middle of an image of 32×32 is (16, 16). `rotation` is in degrees, counter-clockwise as one sees it; `scale` 1 is the size that
 * the patch was made for.
 */
export interface PatchPlacement {
  readonly row: number;
  readonly column: number;
  readonly rotation: number;
  readonly scale: number;
}

/** How random placements are drawn: rotation uniform in [−rotation, rotation] degrees, scale in [scaleMin, scaleMax], the place uniform. */
export interface PatchTransforms {
  readonly rotation: number;
  readonly scaleMin: number;
  readonly scaleMax: number;
}

/** Figures of a patch on some images under random placements. Images of the target class are not counted; null where none is left. */
export interface PatchFigures {
  readonly images: number;
  /** Predictions that are not the true class. */
  readonly successRate: number | null;
  /** Predictions that are the target class; null for an untargeted patch. */
  readonly targetRate: number | null;
  /** Mean log-probability (nats) of the target class, or of any class but the true one. */
  readonly logProbability: number | null;
}

/** `patch.json`, beside `patch.png`: what the patch is, how it was made and what it did. */
export interface PatchDocument {
  readonly version: 1;
  /** The PNG beside it: RGBA, one pixel for each pixel of the image that the patch was trained for; transparent outside its shape. */
  readonly file: string;
  readonly sha256: string;
  readonly shape: "disc" | "square";
  readonly size: readonly [height: number, width: number];
  /** Of the images it was trained for. */
  readonly imageSize: readonly [height: number, width: number, channels: number];
  /** Share of the image that was asked for, and that is covered at scale 1. */
  readonly area: number;
  readonly coverage: number;
  readonly target: { readonly index: number; readonly name: string } | null;
  readonly transforms: PatchTransforms;
  readonly training: {
    /** Hash of all that decides the patch; a run that is resumed takes the patch of the same key. */
    readonly key?: string;
    /** All parameters of the attack. */
    readonly params: Readonly<Record<string, unknown>>;
    readonly seed: number;
    readonly backend: string;
    /** What it was trained on, in words: "the training images of mnist". */
    readonly images: string;
    readonly imageCount: number;
    readonly model: { readonly name: string; readonly sha256: string | null };
    readonly steps: number;
    readonly seconds: number;
    /** About fifty points from the first step to the last, each the mean over the images of that step. */
    readonly history: readonly PatchStep[];
    /** The step that the patch comes from: the best of those compared; absent in patches of earlier versions, which are of the last step. */
    readonly bestStep?: number;
    /** Of the finished patch, rounded to the 8 bits of its file, on images that it was trained with. */
    readonly figures: PatchFigures;
    /** Of the grey patch that training began with, on the same images at the same places: what covering alone does. */
    readonly before?: PatchFigures;
  };
}

export interface PatchStep extends PatchFigures {
  readonly step: number;
}

// ── requests of the Patch Studio ────────────────────────────────────────────────────────────────────────────────────────────────
/** Images that a patch is trained or judged on: pictures (the model's own prediction is taken for their class), or a data set. */
export interface PatchImages {
  readonly files?: readonly string[];
  /** `kind` or `kind:path`, as on the command line. */
  readonly dataset?: string;
  readonly split?: "train" | "test";
  /** The first so many; all when left out. */
  readonly limit?: number;
}

export interface TrainPatchParams {
  /** Model file, run folder or a run's model folder. */
  readonly model: string;
  readonly images: PatchImages;
  /** Parameters of the attack `adversarialPatch`; those left out take the defaults of the catalogue. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** Run folder to write `patch.png` and `patch.json` into; it is created. */
  readonly directory: string;
  /** Where data sets are looked for. */
  readonly workspace: string;
}
export interface TrainPatchResult {
  readonly directory: string;
  readonly run: string;
  /** Relative to the directory, as all files: "patch.png", "patch.json". */
  readonly image: string;
  readonly document: string;
  readonly patch: PatchDocument;
}
/** Sent while a patch is trained: `started` once, then `step`s (at most ten a second). */
export type TrainPatchUpdate =
  | {
      readonly kind: "started";
      readonly steps: number;
      readonly size: readonly [height: number, width: number];
      readonly imageSize: readonly [height: number, width: number, channels: number];
      readonly images: number;
      readonly target: { readonly index: number; readonly name: string } | null;
    }
  | {
      readonly kind: "step";
      readonly steps: number;
      readonly point: PatchStep;
      /** The patch as it is now, a PNG in the run folder (RGBA); null where no new one was written. About twenty in all. */
      readonly picture: string | null;
    };

export interface ApplyPatchParams {
  readonly model: string;
  readonly image: string;
  /** A `patch.png` or `patch.json`, or any other picture as a sticker. */
  readonly patch: string;
  /** For a picture that is no trained patch: share of the image it covers at scale 1 (0.1), and the class it is meant to show. */
  readonly sticker?: { readonly area?: number; readonly target?: number };
  readonly placement: PatchPlacement;
  /** True class; the model's own prediction on the clean image when left out. */
  readonly label?: number;
  /** Folder for the picture; made if missing. No run is recorded in it. */
  readonly directory: string;
  /** Name of the PNG that is written: "pasted.png". */
  readonly file?: string;
}
export interface ApplyPatchResult {
  readonly directory: string;
  /** The image with the patch, at the model's size. */
  readonly image: string;
  readonly imageSize: readonly [height: number, width: number, channels: number];
  /** Height and width of the patch at scale 1 and no rotation, in pixels of the image. */
  readonly patchSize: readonly [height: number, width: number];
  /** Share of the image that the patch covers here; smaller where it hangs over the border. */
  readonly coverage: number;
  /** The whole patch lies inside the image. */
  readonly fits: boolean;
  readonly label: ClassScore;
  readonly labelKnown: boolean;
  readonly target: { readonly index: number; readonly name: string } | null;
  /** All classes, most probable first. */
  readonly clean: readonly ClassScore[];
  readonly patched: readonly ClassScore[];
  /** The prediction with the patch is not the label. */
  readonly success: boolean;
  /** The prediction is the target class; null for an untargeted patch. */
  readonly targetReached: boolean | null;
}

export interface PreviewPatchParams {
  readonly model: string;
  readonly images: PatchImages;
  readonly patch: string;
  readonly sticker?: ApplyPatchParams["sticker"];
  /** Pictures wanted; the images are taken in turn. */
  readonly count: number;
  /** Those that the patch was trained with when left out. */
  readonly transforms?: PatchTransforms;
  readonly seed: number;
  readonly directory: string;
  readonly workspace: string;
}
export interface PatchPreview {
  readonly file: string;
  /** Which of the images. */
  readonly image: number;
  readonly placement: PatchPlacement;
  readonly label: ClassScore;
  readonly prediction: ClassScore;
  readonly success: boolean;
  readonly targetReached: boolean | null;
}
export interface PreviewPatchResult {
  readonly directory: string;
  readonly pictures: readonly PatchPreview[];
  readonly figures: PatchFigures;
}

export interface PatchSuccessMapParams {
  readonly model: string;
  readonly images: PatchImages;
  readonly patch: string;
  readonly sticker?: ApplyPatchParams["sticker"];
  /** Pixels from one position to the next. */
  readonly stride: number;
  readonly rotation?: number;
  readonly scale?: number;
  readonly directory: string;
  readonly workspace: string;
}
export interface PatchSuccessMapResult {
  readonly directory: string;
  /** Middles of the patch: every pair of a row and a column was tried, the whole patch inside the image. */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** Images counted: those that the model classifies correctly without the patch, less those of the target class. */
  readonly images: number;
  /** By row, then column: share of images whose prediction is not their label (of which it is the target, for `target`); null for no images. */
  readonly success: readonly (readonly (number | null)[])[];
  readonly target: readonly (readonly (number | null)[])[] | null;
  /** Mean probability of the target class, or of any class but the true one. */
  readonly probability: readonly (readonly (number | null)[])[];
  /** `success` as a PNG of the image's size, cividis from 0 (dark) to 1 (light); transparent where no position lies. */
  readonly picture: string;
}
export interface PatchSuccessMapUpdate {
  readonly done: number;
  readonly total: number;
}

export interface ExportPatchParams {
  readonly patch: string;
  readonly sticker?: ApplyPatchParams["sticker"];
  /** Length of the longer side on paper. */
  readonly centimetres: number;
  /** Dots to the inch of the file; 300 by default. */
  readonly dpi?: number;
  /** `nearest` keeps the pixels as squares, `smooth` is Lanczos-3. */
  readonly upscaling?: "nearest" | "smooth";
  /** What lies around a disc: nothing, or white paper. */
  readonly background?: "transparent" | "white";
  /** PNG to write. */
  readonly file: string;
}
export interface ExportPatchResult {
  readonly file: string;
  readonly pixels: readonly [height: number, width: number];
  /** As the file says them: pixels and resolution are whole numbers, so they may differ a little from what was asked for. */
  readonly centimetres: readonly [height: number, width: number];
  readonly dpi: number;
  readonly upscaling: "nearest" | "smooth";
}
