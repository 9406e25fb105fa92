import type { RunEvent, RunEventBody } from "../../shared/events.ts";
import type { Finding } from "../../shared/results.ts";
import { onDeviceWarning } from "../backends/failures.ts";

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

/** RB507: what a run's events say of devices that failed, resumed runs included. */
export const deviceFindings = (events: readonly RunEvent[]): Finding[] =>
  events.flatMap((event) =>
    event.kind === "warning" && event.code === code
      ? [
          {
            rule: "RB507",
            severity: "warning" as const,
            message: event.message,
            fix: "The result is complete. Choose a smaller batch, or the device cpu, for the next run.",
          },
        ]
      : [],
  );
