import { runFiles } from "../../shared/runs.ts";
import { type RunContext, stoppedBy } from "../context.ts";
import { createRun, type NewRun, settle } from "../io/runStore.ts";

export interface Recorded<T> extends Pick<NewRun, "workspace" | "directory" | "title" | "request" | "force"> {
  headline(result: T): string;
}

/**
 * Does `work` in a run folder of kind "patch" of its own and keeps its result there as `result.json`. `stoppable` makes a context end when the
 * run is cancelled through its folder.
 */
export async function recorded<T>(
  { headline, ...run }: Recorded<T>,
  work: (directory: string, stoppable: (ctx: RunContext) => RunContext) => Promise<T>,
): Promise<T> {
  const store = await createRun({ ...run, kind: "patch" });
  return settle(
    store,
    async () => {
      const result = await work(store.directory, (ctx) => stoppedBy(store.lock.signal, ctx));
      await store.writeJson(runFiles.result, result);
      await store.update({ headline: headline(result) });
      return result;
    },
    (event) => store.append(event),
  );
}
