import type { RunEventBody } from "../../shared/events.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages } from "../define/index.ts";
import type { RunStore } from "../io/runStore.ts";
import type { Engine } from "../session/engine.ts";
import type { RunData } from "./data.ts";
import type { OpenNetworks } from "./openNetworks.ts";
import type { PlanFacts } from "./piece.ts";
import type { ProgressMeter } from "./progress.ts";
import type { ResolvedExperiment } from "./resolve.ts";
import type { RunPieces } from "./runPieces.ts";

export type RunMode = "run" | "train" | "evaluate";

/** What the pieces of one run share. */
export interface RunEnvironment {
  readonly experiment: ResolvedExperiment;
  readonly mode: RunMode;
  /** For `evaluate`: where the trained models are, when not in this run's folder. */
  readonly modelPath: string | null;
  /** The experiment file as it was named. */
  readonly source: string;
  /** What was asked for, where that is no experiment file. */
  readonly request: unknown;
  readonly store: RunStore;
  readonly data: RunData;
  /** The test images, from the pieces that hold them. */
  readonly images: EvaluationImages;
  /** What the list of pieces followed from. */
  readonly facts: PlanFacts;
  readonly pieces: RunPieces;
  readonly networks: OpenNetworks;
  readonly engine: Engine;
  readonly meter: ProgressMeter;
  readonly ctx: RunContext;
  emit(event: RunEventBody): void;
}
