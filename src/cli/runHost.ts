import { existsSync } from "node:fs";
import path from "node:path";
import type { RunHost } from "../engine/experiment/execute.ts";
import { readBytesSync } from "../engine/io/files.ts";
import { BulwarkError, isCancelled } from "../shared/errors.ts";
import type { RunEvent } from "../shared/events.ts";
import { planFiles } from "../shared/plan.ts";
import { runState } from "../shared/runShapes.ts";
import { runFiles } from "../shared/runs.ts";
import { readAs } from "../shared/shapes.ts";
import type { Session } from "./session.ts";

/** What the user can mend: a file that cannot be read any more, as on a network drive that is gone, or a picture that is broken. */
const mendable: readonly string[] = ["FILE_NOT_FOUND", "FILE_UNREADABLE", "IMAGE_INVALID"];
const isInterruption = (thrown: unknown): boolean =>
  thrown instanceof BulwarkError && thrown.cause !== undefined && mendable.includes(thrown.code);

/**
 * Does the work of a run: shows its progress, and knows the run to go on with.
 * @param directory of the run where it was named; else it is the one that the run says
 */
export async function hosted<Result>(
  session: Session,
  directory: string | undefined,
  work: (host: RunHost) => Promise<Result>,
): Promise<Result> {
  if (directory !== undefined && isUnfinished(directory)) session.run = directory;
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "started" || event.kind === "resumed") session.run = directory ?? `.bulwark/runs/${event.run}`;
    session.onEvent(event);
  };
  const engine = await session.engine();
  const result = await work({ engine, signal: session.signal, onEvent, note: (message) => session.progress.say(message) });
  session.close();
  return result;
}

/** A run lies there that was planned and has not come to its end. */
function isUnfinished(directory: string): boolean {
  if (!existsSync(path.join(directory, planFiles.plan))) return false;
  try {
    const read = readAs(runState, Buffer.from(readBytesSync(path.join(directory, runFiles.state))).toString("utf8"));
    return "wrong" in read || read.value.status !== "done";
  } catch {
    return true; // a lost state is made again
  }
}

/** Says how to go on with a run that was stopped, where there is one. */
export function sayHowToGoOn({ goesOn, run, progress }: Session, thrown: unknown): void {
  if (goesOn !== null && isCancelled(thrown)) progress.tell(`stopped; \`${goesOn}\` goes on`);
  if (run !== null && isInterruption(thrown))
    progress.tell(`what was finished is kept; \`${goesOn}\` goes on when the file can be read again`);
}
