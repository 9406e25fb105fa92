import type { RunHost } from "../engine/experiment/execute.ts";
import { isCancelled } from "../shared/errors.ts";
import type { RunEvent } from "../shared/events.ts";
import type { Session } from "./session.ts";

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
    if (isCancelled(thrown) && begun !== "") session.progress.say(`stopped; \`bulwark resume ${begun}\` goes on`);
    throw thrown;
  }
}
