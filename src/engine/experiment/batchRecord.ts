import { planFiles } from "../../shared/plan.ts";
import type { BatchSizes } from "../classifier/classifier.ts";
import { readText } from "../io/files.ts";
import type { RunStore } from "../io/runStore.ts";

type Recorded = Readonly<Record<string, BatchSizes>>;

/** Batch sizes of the arms of a run, kept in its folder: a run that is resumed, here or elsewhere, makes the batches it was begun with. */
export class BatchRecord {
  readonly #store: Pick<RunStore, "file" | "writeJson">;
  #arms: Recorded | undefined;

  constructor(store: Pick<RunStore, "file" | "writeJson">) {
    this.#store = store;
  }

  /**
   * The sizes that an arm has had, or else those that `choose` gives, which it has from now on.
   * @param most larger ones were never chosen: the file is damaged
   */
  async sizesOf(arm: string, most: number, choose: () => BatchSizes): Promise<BatchSizes> {
    this.#arms ??= await this.#read();
    const found = this.#arms[arm];
    if (isSizes(found, most)) return found;
    const chosen = choose();
    this.#arms = { ...this.#arms, [arm]: chosen };
    await this.#store.writeJson(planFiles.batches, this.#arms);
    return chosen;
  }

  async #read(): Promise<Recorded> {
    try {
      const found: unknown = JSON.parse(await readText(this.#store.file(planFiles.batches)));
      return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Recorded) : {};
    } catch {
      return {}; // a new run, one of a version that chose by the images' size alone, or a damaged file: sizes do not decide results
    }
  }
}

const isSizes = (found: unknown, most: number): found is BatchSizes => {
  const { forward, gradient } = (found ?? {}) as Partial<Record<keyof BatchSizes, unknown>>;
  return [forward, gradient].every((size) => Number.isInteger(size) && (size as number) >= 1 && (size as number) <= most);
};
