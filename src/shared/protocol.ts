import { NotificationType, ProgressType, RequestType } from "vscode-jsonrpc";
import type { AttentionResult, CardProgress, DefenseResult, Inspected, Pick, SequenceResult } from "./cards.ts";
import type { Catalog } from "./catalog.ts";
import type { ClassLists, ClassListsParams, WriteClassListParams, WrittenClassList } from "./classLists.ts";
import type { InputContract, KnownFrom } from "./contract.ts";
import type { DatasetPreview, PreviewDatasetParams } from "./datasetPreview.ts";
import type { CalibrationResult, DetectionResult } from "./detectionCards.ts";
import type { Device } from "./devices.ts";
import type { ErrorData } from "./errors.ts";
import type { RunEvent } from "./events.ts";
import type { ModelCheck, ModelCheckUpdate } from "./modelCheck.ts";
import type {
  ApplyPatchParams,
  ApplyPatchResult,
  ExportPatchParams,
  ExportPatchResult,
  PatchSuccessMapParams,
  PatchSuccessMapResult,
  PatchSuccessMapUpdate,
  PreviewPatchParams,
  PreviewPatchResult,
  TrainPatchParams,
  TrainPatchResult,
  TrainPatchUpdate,
} from "./patch.ts";
import type {
  AttackEstimate,
  AttackImageParams,
  AttackImageResult,
  AttackImageUpdate,
  EstimateAttackParams,
  LabelRunParams,
} from "./pictureAttack.ts";
import type { ContractProbe, FoundContract, ProbeParams, ProbeUpdate } from "./probe.ts";
import type { AttackDocument } from "./results.ts";

export type * from "./pictureAttack.ts";

/**
 * The engine's contract: extension → engine over Node IPC. Every request can be cancelled (JSON-RPC cancellation) and fails with
 * `ErrorData` as the error's data. Paths are absolute. Files of a result are relative to its `directory` (a run folder).
 */
export const protocolVersion = 1;

export interface Handshake {
  readonly protocol: number;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly backend: string;
  /** Such as "CPU ×2". */
  readonly device: string;
}
export interface EngineOptions {
  /** onnxruntime | tensorflow | wasm | cpu | auto */
  readonly backend: string;
  /** auto | cpu | webgpu | cuda | directml | coreml; auto when left out. */
  readonly device?: string;
  readonly protocol: number;
}

export interface BackendReport {
  readonly name: string;
  readonly available: boolean;
  /** Computes on a GPU of its own; says the user's TensorFlow alone. */
  readonly gpu?: boolean;
  readonly device?: string;
  readonly reason?: string;
}
/** What ONNX Runtime could compute on here. */
export interface DeviceReport {
  readonly name: Device;
  readonly title: string;
  readonly available: boolean;
  /** Such as "NVIDIA GeForce RTX 4070". */
  readonly device?: string;
  /** No GPU at all, but a driver that imitates one. */
  readonly software?: boolean;
  /** How many times as fast as the CPU it ran the trial, copies included. */
  readonly speed?: number;
  readonly reason?: string;
}
export interface DoctorReport {
  readonly version: string;
  readonly node: string;
  /** Bytes: of the machine or what it grants, and what is free of it. */
  readonly memory: { readonly total: number; readonly free: number };
  readonly backends: readonly BackendReport[];
  readonly selected: string;
  readonly devices: readonly DeviceReport[];
  /** Why most formats of pictures cannot be read; null where they can. */
  readonly noDecoder: string | null;
  /** The device that `auto` takes. */
  readonly selectedDevice: Device;
}

/** One layer of a model file, in network order. */
export interface InspectedLayer {
  /** `model/layer` within a nested model. */
  readonly name: string;
  readonly type: string;
  /** The batch first; null for any size. */
  readonly outputShape: readonly (number | null)[];
  /** Weights of the layer itself. */
  readonly parameters: number;
  /** Models that it is nested in: 0 for a layer of the model itself. */
  readonly depth: number;
}

export interface ModelInspection {
  readonly format: string;
  readonly inputShape: readonly (number | null)[];
  readonly classes: number;
  readonly parameters: number;
  readonly layers: readonly InspectedLayer[];
  /** The contract in force, completed by what else is known of the model. */
  readonly contract: InputContract;
  /** Where its input range comes from. */
  readonly contractSource: KnownFrom;
  /** In class order; null where nothing names them. */
  readonly classNames: readonly string[] | null;
  readonly classNamesSource: KnownFrom | null;
  /** Why it gives scores only, so that what needs gradients is refused; absent where it gives both. */
  readonly forwardOnly?: string;
  /** What rules say of the model, such as RB111. */
  readonly warnings: readonly string[];
  /** Harmless things done while loading, for the person to know. */
  readonly notes: readonly string[];
}

export interface RankPatchesParams {
  readonly image: string;
  /** Scores of a second image (the attacked one) are compared when given. */
  readonly attacked?: string;
  /** Side of a slice; "auto" takes one that divides the image, or pads the edges where none does. */
  readonly patch: number | "auto";
  /** Pixels from one slice to the next; 0, or left out, for slices side by side. */
  readonly stride?: number;
  readonly measure: string;
  readonly measureParams?: Readonly<Record<string, unknown>>;
  readonly order: "asc" | "desc";
  readonly reference: string;
  readonly onRemainder?: "error" | "reflectPad" | "drop";
  /** Image size to resize to first, when the model wants another one. */
  readonly size?: readonly [number, number];
  readonly directory: string;
  /** Replaces what lies in `directory`. */
  readonly force?: boolean;
}
export interface PatchRanking {
  readonly Z: number;
  readonly patch: number;
  /** Raster index of the slice at each place of the volume. */
  readonly perm: readonly number[];
  /** By raster index; a number, or "Infinity", "-Infinity", "NaN" (JSON has no such numbers). */
  readonly scores: readonly (number | string)[];
  /** Raster index of the reference; null for standalone measures. */
  readonly reference: number | null;
  /** More than half of the scores tie (max norm does that). */
  readonly manyTies: boolean;
  /** PNG of each slice, by raster index. */
  readonly slices: readonly string[];
  readonly columns: number;
  readonly rows: number;
}
export interface RankPatchesResult {
  readonly directory: string;
  readonly image: string;
  /** What was done to the picture, such as "turned upright by its EXIF orientation". */
  readonly notes?: readonly string[];
  /** As asked, or as a slice size of "auto" needed it. */
  readonly onRemainder?: "error" | "reflectPad" | "drop";
  readonly clean: PatchRanking;
  readonly attacked: PatchRanking | null;
}

export interface CalibrateDetectorParams extends Inspected {
  readonly detector: Pick;
  /** `kind` or `kind:path`. */
  readonly data: string;
  /** At most so many of its test images. */
  readonly limit: number;
  /** Where data sets are looked for. */
  readonly workspace: string;
}

export interface RunExperimentParams {
  readonly file: string;
  readonly mode: "run" | "train" | "evaluate";
  readonly model?: string;
  /** Run folder; made from the experiment's name and the time when left out. */
  readonly directory?: string;
  /** Where `.bulwark/` is. */
  readonly workspace: string;
  readonly backend: string;
  /** Instead of the experiment's own. */
  readonly seed?: number;
  /** Replaces what lies in `directory`, and does not wait for a sign of life of another machine that drove it. */
  readonly force?: boolean;
}
export interface RunExperimentResult {
  readonly directory: string;
  readonly expectationsMet: boolean;
}

export const requests = {
  /** First message of a connection; picks the backend. */
  handshake: new RequestType<EngineOptions, Handshake, ErrorData>("handshake"),
  /** Answered at once, between the steps of whatever else is being done: an engine that does not is deaf. */
  ping: new RequestType<Record<string, never>, null, ErrorData>("ping"),
  /** What there is to choose from; with the entries of an experiment file's plugins, which are run in this engine. */
  list: new RequestType<{ readonly experiment?: string }, Catalog, ErrorData>("list"),
  doctor: new RequestType<Record<string, never>, DoctorReport, ErrorData>("doctor"),
  inspectModel: new RequestType<{ readonly model: string }, ModelInspection, ErrorData>("inspectModel"),
  /** What `inspectModel` leaves out: the weights themselves and the scores. Reports `checkModelProgress` on the way. */
  checkModel: new RequestType<{ readonly model: string; readonly token: string }, ModelCheck, ErrorData>("checkModel"),
  /** How a model takes its images, from labelled ones. Writes nothing. Reports `probeContractProgress` on the way. */
  probeContract: new RequestType<ProbeParams & { readonly token: string }, ContractProbe, ErrorData>("probeContract"),
  /** Writes what a probe decided into the contract beside the model; answers with the file. */
  writeProbe: new RequestType<FoundContract, { readonly file: string }, ErrorData>("writeProbe"),
  /** Which files are lists of class names that fit a model. Writes nothing. */
  classLists: new RequestType<ClassListsParams, ClassLists, ErrorData>("classLists"),
  /** Writes a list into the contract beside the model. */
  writeClassList: new RequestType<WriteClassListParams, WrittenClassList, ErrorData>("writeClassList"),
  /** What a data set holds. Computes nothing. */
  previewDataset: new RequestType<PreviewDatasetParams, DatasetPreview, ErrorData>("previewDataset"),
  /** Loads a model into the warm engine and runs it once, so that the next request is fast. */
  warmUp: new RequestType<{ readonly model: string }, { readonly classes: readonly string[] }, ErrorData>("warmUp"),
  /** Reports `attackImageProgress` on the way. */
  attackImage: new RequestType<AttackImageParams & { readonly token: string }, AttackImageResult, ErrorData>("attackImage"),
  /** How long an attack on a picture takes, measured with a few passes of the model. */
  estimateAttack: new RequestType<EstimateAttackParams, AttackEstimate, ErrorData>("estimateAttack"),
  /** Judges an attack on a picture anew, now that somebody has said its true class. Attacks nothing. */
  labelRun: new RequestType<LabelRunParams, AttackImageResult, ErrorData>("labelRun"),
  /** Where the model looks, in the images of a run or in a picture that nobody attacked. Attacks nothing. Reports `cardProgress` on the way. */
  explainRun: new RequestType<Inspected & { readonly explanation: Pick | null; readonly token: string }, AttentionResult, ErrorData>(
    "explainRun",
  ),
  /** Where the model looks along the attack of a run. Attacks nothing. Reports `cardProgress` on the way. */
  explainSequence: new RequestType<Inspected & { readonly explanation: Pick; readonly token: string }, SequenceResult, ErrorData>(
    "explainSequence",
  ),
  /** The images of a run, or a picture, through defences in front of the model. Attacks nothing. */
  defendRun: new RequestType<Inspected & { readonly chain: readonly Pick[] }, DefenseResult, ErrorData>("defendRun"),
  /** What a detector says of the images of a run, or of a picture. Attacks nothing. Reports `cardProgress` on the way. */
  detectRun: new RequestType<Inspected & { readonly detector: Pick; readonly token: string }, DetectionResult, ErrorData>("detectRun"),
  /** What a detector says of clean images, to choose its threshold on. Reports `cardProgress` on the way. */
  calibrateDetector: new RequestType<CalibrateDetectorParams & { readonly token: string }, CalibrationResult, ErrorData>(
    "calibrateDetector",
  ),
  rankPatches: new RequestType<RankPatchesParams, RankPatchesResult, ErrorData>("rankPatches"),
  /** Trains an adversarial patch into a run folder of kind "patch". Reports `trainPatchProgress` on the way. */
  trainPatch: new RequestType<TrainPatchParams & { readonly token: string }, TrainPatchResult, ErrorData>("trainPatch"),
  /** Pastes a patch at one place. */
  applyPatch: new RequestType<ApplyPatchParams, ApplyPatchResult, ErrorData>("applyPatch"),
  /** Pastes a patch at random places. */
  previewPatch: new RequestType<PreviewPatchParams, PreviewPatchResult, ErrorData>("previewPatch"),
  /** Pastes a patch at every place of a grid. Reports `patchSuccessMapProgress` on the way. */
  patchSuccessMap: new RequestType<PatchSuccessMapParams & { readonly token: string }, PatchSuccessMapResult, ErrorData>("patchSuccessMap"),
  /** Writes a patch as a PNG that prints at a size in centimetres. */
  exportPatch: new RequestType<ExportPatchParams, ExportPatchResult, ErrorData>("exportPatch"),
  /** In a process of its own. Reports `runProgress` (token "run") on the way. */
  runExperiment: new RequestType<RunExperimentParams, RunExperimentResult, ErrorData>("runExperiment"),
  resumeRun: new RequestType<{ readonly directory: string; readonly backend: string }, RunExperimentResult, ErrorData>("resumeRun"),
} as const;

export const attackImageProgress = new ProgressType<AttackImageUpdate>();
export const checkModelProgress = new ProgressType<ModelCheckUpdate>();
export const probeContractProgress = new ProgressType<ProbeUpdate>();
export const cardProgress = new ProgressType<CardProgress>();
export const trainPatchProgress = new ProgressType<TrainPatchUpdate>();
export const patchSuccessMapProgress = new ProgressType<PatchSuccessMapUpdate>();
export const runProgress = new ProgressType<RunEvent>();
/** Engine → extension: one line for the log channel. */
export const logNotification = new NotificationType<{ readonly level: "info" | "warn" | "error"; readonly message: string }>("log");

/** Engine → extension: a device failed; `device` is what computes from now on. */
export const deviceNotification = new NotificationType<{ readonly message: string; readonly device: string }>("device");

export type { AttackDocument };
