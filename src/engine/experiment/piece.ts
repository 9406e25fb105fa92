import type { PieceRecord, StageKind } from "../../shared/plan.ts";
import type { PieceFolder } from "../io/publish.ts";
import type { ResolvedArm } from "./arms.ts";
import type { RunEnvironment, RunMode } from "./environment.ts";
import type { RunLayout } from "./layout.ts";
import type { StaticSources } from "./networks.ts";
import type { ResolvedExperiment } from "./resolve.ts";

/** A unit of work. What it makes lies in its folder, or in files of the run that are replaced as a whole. */
export interface Piece extends Omit<PieceRecord, "needs"> {
  /** Keys. */
  readonly needs: readonly string[];
  /** What a person reads while it is done: "Attacking undefended with PGD". */
  readonly phase: string;
  readonly arm?: string;
  readonly attack?: string;
  /** Images of all the shards together, where it is one of several. */
  readonly of?: number;
  /** Refuses, before anything is computed, what would stop it later. */
  check?(env: RunEnvironment): Promise<void>;
  run(env: RunEnvironment, folder: PieceFolder): Promise<void>;
}

/** What the list of pieces follows from. */
export interface PlanFacts {
  readonly experiment: ResolvedExperiment;
  readonly mode: RunMode;
  readonly sources: StaticSources;
  /** All arms in the order in which they are worked on, with those that no report shows. */
  readonly order: readonly ResolvedArm[];
  readonly layout: RunLayout;
  /** Test images. */
  readonly n: number;
  readonly trainSize: number;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  /** Arms that have a model, or get one in this run. */
  readonly hasModel: (arm: ResolvedArm) => boolean;
}

/** What makes the pieces of one kind, for one arm. */
export interface Stage {
  readonly kind: StageKind;
  pieces(arm: ResolvedArm, facts: PlanFacts): readonly Piece[];
}

/** Name of a shard within its group. */
export const shardKey = (group: string, [start, end]: readonly [number, number]): string => `${group}:${start}-${end}`;
