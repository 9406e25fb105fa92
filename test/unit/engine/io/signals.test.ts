import { afterEach, expect, it } from "vitest";
import { onRelease, releaseSignals } from "../../../../src/engine/io/signals.ts";

const listener = (): void => {};
afterEach(() => {
  process.off("SIGINT", listener);
});
const heard = (): number => process.listeners("SIGINT").filter((found) => found === listener).length;

it("Ctrl-C is the system's until it is given back to who listened, once, however many took it", () => {
  process.on("SIGINT", listener);
  const restore = releaseSignals();
  expect(heard()).toBe(0);
  const inner = releaseSignals();
  inner();
  expect(heard()).toBe(0);
  restore();
  expect(heard()).toBe(1);
});

it("is announced before it is left to the system, where somebody listens", () => {
  let told = 0;
  onRelease(() => {
    told += 1;
    expect(heard()).toBe(1);
  });
  process.on("SIGINT", listener);
  const restore = releaseSignals();
  releaseSignals()();
  restore();
  expect(told).toBe(1);
});
