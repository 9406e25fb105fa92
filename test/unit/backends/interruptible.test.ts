import { afterEach, expect, it } from "vitest";
import { releaseSignals, whileLoading } from "../../../src/engine/backends/onnxruntime/interruptible.ts";

const listener = (): void => {};
afterEach(() => {
  process.off("SIGINT", listener);
});
const isHeard = (): boolean => process.listeners("SIGINT").includes(listener);
const large = 64 * 2 ** 20;

it("Ctrl-C is the system's while a large model is loaded, also one that fails, and the listeners' again afterwards", () => {
  process.on("SIGINT", listener);
  whileLoading(large, () => expect(isHeard()).toBe(false));
  expect(isHeard()).toBe(true);
  expect(() =>
    whileLoading(large, () => {
      throw new Error("no model");
    }),
  ).toThrow("no model");
  expect(isHeard()).toBe(true);
  whileLoading(large - 1, () => expect(isHeard()).toBe(true));
  const [one, other] = [releaseSignals(large), releaseSignals(large)]; // two at a time
  expect(isHeard()).toBe(false);
  other();
  one();
  expect(process.listeners("SIGINT").filter((found) => found === listener)).toHaveLength(1);
});
