import { Args } from "../args.ts";
import { inFlags } from "../flags.ts";
import { sayHowToGoOn } from "../runHost.ts";
import { openSession, type Session } from "../session.ts";
import type { VerbName } from "../usage.ts";
import { attack } from "./attack.ts";
import { cancel } from "./cancel.ts";
import { evaluate, resume, run, train } from "./experiment.ts";
import { explain, rank } from "./image.ts";
import { defend, detect, predict } from "./images.ts";
import { doctor, fetchData, inspect, list } from "./look.ts";
import { patch } from "./patch.ts";
import { checkPlugin } from "./plugin.ts";
import { probe } from "./probe.ts";
import { report } from "./report.ts";

export type VerbAction = (args: Args, session: Session) => Promise<number>;

const actions: Readonly<Record<VerbName, VerbAction>> = {
  list,
  fetch: fetchData,
  doctor,
  inspect,
  probe,
  "check-plugin": checkPlugin,
  run,
  train,
  evaluate,
  resume,
  cancel,
  attack,
  predict,
  defend,
  detect,
  explain,
  rank,
  patch,
  report,
};

/** Verbs that leave nothing to go on with: Ctrl-C is the system's, which ends them wherever they are. */
const endAtOnce: readonly VerbName[] = ["list", "doctor", "inspect", "check-plugin", "cancel", "explain", "rank", "report"];

/** Does one verb; returns the exit code. */
export async function runVerb(verb: VerbName, words: readonly string[]): Promise<number> {
  const args = new Args(verb, words);
  const again = verb === "fetch" ? ["bulwark fetch", ...words].join(" ") : null;
  const session = openSession(args, { endsAtOnce: endAtOnce.includes(verb), again });
  try {
    return await Promise.race([actions[verb](args, session), session.stopped]);
  } catch (thrown) {
    sayHowToGoOn(session, thrown);
    throw args.has("dataset-set") ? inFlags(thrown) : thrown;
  } finally {
    session.close();
  }
}
