import { Type } from "@sinclair/typebox";
import { planFiles } from "../../shared/plan.ts";
import { readAs, recordOf, type Shape } from "../../shared/shapes.ts";
import type { BatchSizes } from "../classifier/classifier.ts";
import { exists, readText } from "../io/files.ts";
import type { RunStore } from "../io/runStore.ts";

type Recorded = Readonly<Record<string, BatchSizes>>;
const size = Type.Integer({ minimum: 1 });
const recorded: Shape<Recorded> = recordOf(Type.Object({ forward: size, gradient: size }));

/** Batch sizes of the arms of a run, kept in its folder: a run that is resumed, here or elsewhere, makes the batches it was begun with. */
export class BatchRecord {
  readonly #store: Pick<RunStore, "file" | "writeJson">;
  readonly #warn: (message: string) => void;
  #arms: Recorded | undefined;

  constructor(store: Pick<RunStore, "file" | "writeJson">, warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
  }

  /**
   * The sizes that an arm has had, or else those that `choose` gives, which it has from now on.
   * @param most larger ones were never chosen: the file is damaged
   */
  async sizesOf(arm: string, most: number, choose: () => BatchSizes): Promise<BatchSizes> {
    this.#arms ??= await this.#read();
    const found = this.#arms[arm];
    if (found && found.forward <= most && found.gradient <= most) return found;
    const chosen = choose();
    this.#arms = { ...this.#arms, [arm]: chosen };
    await this.#store.writeJson(planFiles.batches, this.#arms);
    return chosen;
  }

  async #read(): Promise<Recorded> {
    const file = this.#store.file(planFiles.batches);
    if (!(await exists(file))) return {}; // a new run
    const found = readAs(recorded, await readText(file).catch(() => ""));
    if ("value" in found) return found.value;
    this.#warn(`${planFiles.batches} is damaged; the sizes of batches are chosen again, which changes no result.`);
    return {};
  }
}
