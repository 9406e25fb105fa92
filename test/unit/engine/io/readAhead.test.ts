import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { readAhead } from "../../../../src/engine/io/readAhead.ts";

/** Reads take a turn of the event loop; `log` tells when each begins and ends. */
function reader(log: string[], broken?: number) {
  return async (item: number): Promise<number> => {
    log.push(`read ${item}`);
    await turn();
    log.push(`have ${item}`);
    if (item === broken) throw new Error(`no ${item}`);
    return 10 * item;
  };
}

describe("reading ahead", () => {
  it("begins with the next item before the caller works on this one, and with no other", async () => {
    const log: string[] = [];
    const seen: (readonly [number, number])[] = [];
    for await (const pair of readAhead([1, 2, 3], reader(log))) {
      log.push(`work ${pair[0]}`);
      seen.push(pair);
      await turn();
      await turn();
    }
    expect(seen).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    expect(log).toEqual(["read 1", "have 1", "read 2", "work 1", "have 2", "read 3", "work 2", "have 3", "work 3"]);
  });

  it("reads nothing while the caller works, where that is asked for", async () => {
    const log: string[] = [];
    for await (const [item] of readAhead([1, 2], reader(log), { isAlone: true })) {
      log.push(`work ${item}`);
      await turn();
    }
    expect(log).toEqual(["read 1", "have 1", "work 1", "read 2", "have 2", "work 2"]);
  });

  it("a read that fails throws in its own turn and is nobody's before", async () => {
    const [log, worked]: [string[], number[]] = [[], []];
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listen);
    const all = async () => {
      for await (const [item] of readAhead([1, 2, 3], reader(log, 2))) {
        for (let i = 0; i < 3; i++) await turn(); // the second read has failed by now
        worked.push(item);
      }
    };
    await expect(all()).rejects.toThrow("no 2");
    await turn();
    process.off("unhandledRejection", listen);
    expect([worked, unhandled]).toEqual([[1], []]);
    expect(log).not.toContain("read 3");
  });

  it("waits for what is being read when the caller stops, and drops what fails", async () => {
    for (const broken of [undefined, 2]) {
      const log: string[] = [];
      const stopped = async () => {
        for await (const [item] of readAhead([1, 2, 3], reader(log, broken))) throw new Error(`stopped at ${item}`);
      };
      await expect(stopped()).rejects.toThrow("stopped at 1");
      expect(log).toEqual(["read 1", "have 1", "read 2", "have 2"]);
    }
  });

  it("gives nothing of nothing", async () => {
    for await (const _ of readAhead([], reader([]))) throw new Error("there is an item");
  });
});
