import { type BeatWatch, type Driver, holderOf, type Machine } from "./driver.ts";
import type { RunEvent } from "./events.ts";
import { readPlan } from "./plan.ts";
import type { RunState, RunStatus } from "./runs.ts";

/**
 * A run is running only as long as a process proves it through its lock: what `state.json` says of itself may be old, or from another
 * machine. `driver` is null where the folder has no lock.
 */
export function statusOf(state: RunState, driver: Driver | null, o: { readonly machine: Machine; readonly watch: BeatWatch }): RunStatus {
  if (state.status !== "running") return state.status;
  if (driver === null) return "interrupted";
  switch (holderOf(driver, o.machine)) {
    case "alive":
      return "running";
    case "gone":
      return "interrupted";
    case "unproven":
      return o.watch.isMoving(driver) ? "running" : "interrupted";
    case "elsewhere":
      return o.watch.isMoving(driver) ? "elsewhere" : "interrupted";
  }
}

/** A process works on it, here or on another machine. */
export const isUnderWay = (status: RunStatus): boolean => status === "running" || status === "elsewhere";

/** Events that `rebuiltState` asks for. */
export const tellsState = ({ kind }: RunEvent): boolean => kind === "progress" || kind in turns;
const turns = { started: "running", resumed: "running", done: "done", cancelled: "cancelled", failed: "failed" } as const;

/**
 * A lost `state.json`, from the text of the plan and the events beside it; null where the plan does not tell.
 * @param run name of the run folder
 */
export function rebuiltState(run: string, plan: string, events: readonly RunEvent[]): RunState | null {
  const planned = readPlan(plan)?.run;
  if (!planned) return null;
  const turn = events.findLast(({ kind }) => kind in turns);
  const status = turns[(turn?.kind ?? "started") as keyof typeof turns];
  const progress = status === "done" ? 1 : events.reduce((before, event) => (event.kind === "progress" ? event.overall : before), 0);
  const error = turn?.kind === "failed" ? { code: turn.error.code, message: turn.error.message, fix: turn.error.fix ?? null } : null;
  return { version: 1, run, ...planned, status, updatedAt: planned.createdAt, progress, headline: null, error };
}
