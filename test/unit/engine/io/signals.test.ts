import { afterEach, expect, it } from "vitest";
import { onRelease, releaseSignals, StepSignals } from "../../../../src/engine/io/signals.ts";

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

it("is left to the system in a step after some that took long, and until its end alone", () => {
  onRelease(() => undefined);
  process.on("SIGINT", listener);
  const steps = new StepSignals();
  const after = (...durations: readonly number[]): number => {
    for (const duration of durations) {
      now += duration;
      steps.step(now);
    }
    return heard();
  };
  let now = 0;
  expect(after(0, 900, 900, 100, 900, 900)).toBe(1); // compiling
  expect(after(900)).toBe(0);
  expect(after(900)).toBe(0);
  expect(after(10)).toBe(1);
});
