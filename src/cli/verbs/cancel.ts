import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { requestCancel } from "../../engine/io/driverLock.ts";
import { readRunState } from "../../engine/io/runStore.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { isUnderWay } from "../../shared/lifecycle.ts";
import { printJson, printText } from "../print.ts";
import type { VerbAction } from "./index.ts";

const waitSeconds = 20;

/** Asks through the run's own folder: no signal goes to a process whose number only a file names. */
export const cancel: VerbAction = async (args, session) => {
  const [directory = ""] = args.positionals;
  const before = await readRunState(directory);
  if (!isUnderWay(before.status) || !(await requestCancel(directory)))
    throw new BulwarkError(
      "RUN_INVALID",
      `${path.basename(path.resolve(directory))} is not running: it is ${before.status}.`,
      "Only a running run can be cancelled.",
    );
  const until = performance.now() + waitSeconds * 1000;
  let { status } = before;
  while (isUnderWay(status) && performance.now() < until && !session.signal.aborted) {
    await wait(100);
    ({ status } = await readRunState(directory));
  }
  if (args.flag("json")) printJson({ run: before.run, status });
  else printText(isUnderWay(status) ? "asked to stop; it has not finished its step yet" : `the run is ${status}`);
  return 0;
};
