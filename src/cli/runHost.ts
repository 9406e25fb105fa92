import type { RunHost } from "../engine/experiment/execute.ts";
import { BulwarkError, isCancelled } from "../shared/errors.ts";
import type { RunEvent } from "../shared/events.ts";
import type { Session } from "./session.ts";

/** What the user can mend: a file that cannot be read any more, as on a network drive that is gone, or a picture that is broken. */
const mendable: readonly string[] = ["FILE_NOT_FOUND", "FILE_UNREADABLE", "IMAGE_INVALID"];
const isInterruption = (thrown: unknown): boolean =>
  thrown instanceof BulwarkError && thrown.cause !== undefined && mendable.includes(thrown.code);

/**
 * Does the work of a run: shows its progress, and says how to go on with it when it is stopped.
 * @param directory of the run where it was named; else it is the one that the run says
 */
export async function hosted<Result>(
  session: Session,
  directory: string | undefined,
  work: (host: RunHost) => Promise<Result>,
): Promise<Result> {
  let begun = "";
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "started" || event.kind === "resumed") begun = directory ?? `.bulwark/runs/${event.run}`;
    session.onEvent(event);
  };
  const engine = await session.engine();
  try {
    const result = await work({ engine, signal: session.signal, onEvent, note: (message) => session.progress.say(message) });
    session.close();
    return result;
  } catch (thrown) {
    if (begun !== "" && isCancelled(thrown)) session.progress.tell(`stopped; \`bulwark resume ${begun}\` goes on`);
    if (begun !== "" && isInterruption(thrown))
      session.progress.tell(`what was finished is kept; \`bulwark resume ${begun}\` goes on when the file can be read again`);
    throw thrown;
  }
}
