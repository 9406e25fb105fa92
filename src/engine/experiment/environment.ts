import type { RunEventBody } from "../../shared/events.ts";
import type { RunContext } from "../context.ts";
import type { RunStore } from "../io/runStore.ts";
import type { Engine } from "../session/engine.ts";
import type { ArmAttack } from "./attackArm.ts";
import type { RunData } from "./data.ts";
import type { StaticSources } from "./networks.ts";
import type { ProgressMeter } from "./progress.ts";
import type { ResolvedExperiment } from "./resolve.ts";

export type RunMode = "run" | "train" | "evaluate";

/** What the pieces of one run share. */
export interface RunEnvironment {
  readonly experiment: ResolvedExperiment;
  readonly mode: RunMode;
  /** For `evaluate`: where the trained models are, when not in this run's folder. */
  readonly modelPath: string | null;
  /** The experiment file as it was named. */
  readonly source: string;
  readonly store: RunStore;
  readonly data: RunData;
  readonly sources: StaticSources;
  /** What came of attacks so far, by arm and key of the attack: filled as arms are attacked, sources of static images first. */
  readonly attacked: Map<string, Map<string, ArmAttack>>;
  readonly engine: Engine;
  readonly meter: ProgressMeter;
  readonly ctx: RunContext;
  emit(event: RunEventBody): void;
}
