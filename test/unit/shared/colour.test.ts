import { describe, expect, it } from "vitest";
import { cividis, inkOn } from "../../../src/shared/colour.ts";

describe("ink on a colour", () => {
  it("is the one that reads better: from the luminance at which black and white are equally far", () => {
    expect([inkOn([0, 0, 0]), inkOn([255, 255, 255])]).toEqual(["#fff", "#000"]);
    // Grey 117 has luminance 0.1779, 118 has 0.1812; black and white have the same contrast at √(1.05·0.05) − 0.05 = 0.1791.
    expect([inkOn([117, 117, 117]), inkOn([118, 118, 118])]).toEqual(["#fff", "#000"]);
    // White on it has 4.24:1 as axe-core measures it, so that black has 21/4.24 = 4.95:1.
    expect(inkOn(cividis(0.494))).toBe("#000");
  });
});
