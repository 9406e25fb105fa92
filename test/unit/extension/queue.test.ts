import { describe, expect, it } from "vitest";
import { createQueue } from "../../../src/extension/engine/queue.ts";

/** A promise that is settled from outside. */
function gate(): { readonly promise: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open: () => open() };
}
const job = (id: string) => ({ id, title: id });

describe("queue of runs", () => {
  it("runs one at a time, in order", async () => {
    const queue = createQueue(() => undefined);
    const [first, second] = [gate(), gate()];
    const order: string[] = [];
    const a = queue.add(job("a"), async () => {
      order.push("a starts");
      await first.promise;
      order.push("a ends");
      return 1;
    });
    const b = queue.add(job("b"), async () => {
      order.push("b starts");
      await second.promise;
      return 2;
    });
    await Promise.resolve();
    expect(queue.active?.id).toBe("a");
    expect(queue.waiting.map(({ id }) => id)).toEqual(["b"]);
    expect(order).toEqual(["a starts"]);
    first.open();
    expect(await a).toBe(1);
    second.open();
    expect(await b).toBe(2);
    expect(order).toEqual(["a starts", "a ends", "b starts"]);
    expect(queue.active).toBeUndefined();
  });

  it("goes on after a run that failed, also one that threw at once", async () => {
    const queue = createQueue(() => undefined);
    const a = queue.add(job("a"), () => {
      throw new Error("at once");
    });
    const b = queue.add(job("b"), () => Promise.resolve("fine"));
    await expect(a).rejects.toThrow("at once");
    expect(await b).toBe("fine");
  });

  it("drops a waiting run that is cancelled, without starting it", async () => {
    const queue = createQueue(() => undefined);
    const first = gate();
    const a = queue.add(job("a"), () => first.promise);
    let isStarted = false;
    const b = queue.add(job("b"), async () => {
      isStarted = true;
    });
    expect(queue.cancel("b")).toBe(true);
    await expect(b).rejects.toMatchObject({ code: "CANCELLED" });
    first.open();
    await a;
    expect(isStarted).toBe(false);
    expect(queue.cancel("b")).toBe(false);
  });

  it("tells the active run to stop and waits for it", async () => {
    const queue = createQueue(() => undefined);
    const a = queue.add(job("a"), async (signal) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      return "kept what it had";
    });
    await Promise.resolve();
    expect(queue.cancel("a")).toBe(true);
    expect(await a).toBe("kept what it had");
  });

  it("tells of every change", async () => {
    const seen: string[] = [];
    const queue = createQueue(() => seen.push(`${queue.active?.id ?? "-"}/${queue.waiting.length}`));
    const first = gate();
    const a = queue.add(job("a"), () => first.promise);
    const b = queue.add(job("b"), () => Promise.resolve());
    first.open();
    await Promise.all([a, b]);
    await Promise.resolve();
    expect(seen.slice(0, 3)).toEqual(["a/0", "a/1", "b/0"]);
    expect(seen.at(-1)).toBe("-/0");
  });
});
