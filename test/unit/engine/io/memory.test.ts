import { afterEach, expect, it } from "vitest";
import { checkGrantedMemory, freeMemory, machineMemory } from "../../../../src/engine/io/memory.ts";

afterEach(() => {
  delete process.env["BULWARK_MEMORY"];
});

it("takes no more than a person grants, for whatever sizes itself by what is free", () => {
  const whole = machineMemory();
  process.env["BULWARK_MEMORY"] = "0.5";
  expect(machineMemory()).toBe(0.5e9);
  expect(freeMemory()).toBeLessThan(0.5e9);
  process.env["BULWARK_MEMORY"] = "100000";
  expect(machineMemory()).toBe(whole);
});

it("refuses to go on beyond it, with what is held and what is granted", () => {
  expect(checkGrantedMemory).not.toThrow();
  process.env["BULWARK_MEMORY"] = "0.01";
  expect(checkGrantedMemory).toThrow(/holds .* more than the 10 MB/);
  process.env["BULWARK_MEMORY"] = "100";
  expect(checkGrantedMemory).not.toThrow();
});
