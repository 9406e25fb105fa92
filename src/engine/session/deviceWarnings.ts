import type { RunEventBody } from "../../shared/events.ts";
import type { Finding } from "../../shared/results.ts";
import { onDeviceWarning } from "../backends/failures.ts";
import { readRunEvents } from "../io/runStore.ts";
import { runRules } from "../rules/index.ts";
import { findingsOf } from "../rules/rule.ts";

const code = "DEVICE_FAILED";

/** Reports every device that fails while `body` runs. */
export async function watchingDevice<T>(tell: (event: RunEventBody) => void, body: () => Promise<T>): Promise<T> {
  const stop = onDeviceWarning(({ message }) => tell({ kind: "warning", code, message }));
  try {
    return await body();
  } finally {
    stop();
  }
}

/** What the events in a run folder say of devices that failed, resumed runs included. */
export async function deviceFindings(directory: string): Promise<Finding[]> {
  const events = await readRunEvents(directory, (event) => event.kind === "warning" && event.code === code);
  const deviceFailures = events.flatMap((event) => (event.kind === "warning" ? [event.message] : []));
  return findingsOf(runRules, { deviceFailures }, {});
}
