import { runFiles } from "../../shared/runs.ts";
import { createRun, settle } from "../io/runStore.ts";

/** Does `work` in a run folder of kind "patch" of its own and keeps its result there as `result.json`. */
export async function recorded<T>(
  o: { readonly workspace: string; readonly directory: string | undefined; readonly title: string; headline(result: T): string },
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const store = await createRun({ ...o, kind: "patch" });
  return settle(
    store,
    async () => {
      const result = await work(store.directory);
      await store.writeJson(runFiles.result, result);
      await store.update({ headline: o.headline(result) });
      return result;
    },
    (event) => store.append(event),
  );
}
