import { type BeatWatch, type Driver, holderOf, type Machine } from "./driver.ts";
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
