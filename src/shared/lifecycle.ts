import type { RunState, RunStatus } from "./runs.ts";

/** A run whose process is gone was interrupted, whatever its last word was. */
export function statusOf(state: RunState): RunStatus {
  return state.status === "running" && !(state.pid !== null && isAlive(state.pid)) ? "interrupted" : state.status;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM"; // it exists but belongs to another user
  }
}
