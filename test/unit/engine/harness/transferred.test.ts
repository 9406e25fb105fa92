import "../../../../src/engine/backends/cpu.ts";
import { describe, expect, it } from "vitest";
import { scoreTransferred } from "../../../../src/engine/harness/transferred.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { onlyTransferred, rb008 } from "../../../../src/engine/rules/rb008.ts";
import { rb307 } from "../../../../src/engine/rules/rb307.ts";
import { records } from "../analyses/fixtures.ts";
import { linearClassifier } from "../fixtures.ts";

describe("RB008", () => {
  const undefended = records("bbbbbbbbbbbbbbbbbbbb");
  const held = records("rrrrrrrrrrrrrrrrrrbb"); // 18 of 20 under the transferred attack

  it("fires where the defence holds against the transferred attack alone", () => {
    const finding = rb008({ undefended, transferred: held, adaptive: records("rrrbbbbbbbbbbbbbbbbb") });
    expect(finding).toMatchObject({ rule: "RB008", severity: "warning" });
    expect(finding?.message).toMatch(/90\.0 %.*0\.0 %.*15\.0 %/);
  });

  it("does not where most of the gain stays, where there was none, or where chance explains it", () => {
    expect(rb008({ undefended, transferred: held, adaptive: records("rrrrrrrrrrrrbbbbbbbb") })).toBeNull(); // 60 % is more than half of 90 %
    expect(rb008({ undefended, transferred: undefended, adaptive: undefended })).toBeNull();
    expect(rb008({ undefended: records("bb"), transferred: records("rr"), adaptive: records("bb") })).toBeNull();
  });

  it("fires where nothing but a transferred attack was made", () => {
    expect(onlyTransferred()).toMatchObject({ rule: "RB008", severity: "warning" });
  });
});

describe("RB307", () => {
  it("fires where images of the undefended model break what the adaptive attack does not", () => {
    // 5 to 0: P = 1/32 < 0.05; 4 to 0: 1/16.
    expect(rb307(records("rrrrrr"), records("bbbbbr"))?.message).toContain("5 images");
    expect(rb307(records("rrrrrr"), records("bbbbrr"))).toBeNull();
    expect(rb307(records("bbbbbb"), records("bbbbbr"))).toBeNull();
  });
});

describe("transferred images", () => {
  it("are scored as they are: no success on an image that was wrong already, rounding to 8 bits looked at", async () => {
    // Class 1 where the first pixel exceeds 0.4995: 0.5 is 128/255 = 0.502 after rounding, 0.4999 is 127/255 = 0.498.
    const model = linearClassifier(
      [
        [0, 0],
        [1, 0],
      ],
      [1, 2, 1],
      [0.4995, 0],
    );
    const clean = new Float32Array(8);
    const adversarial = Float32Array.from([0.5, 0, 0.4999, 0, 1, 1, 0, 0.25]);
    const before = [0, 1, 2, 3].map((index) => ({ index, label: 0, cleanPrediction: index === 2 ? 1 : 0 }));
    const scored = await scoreTransferred(model, { clean, adversarial, before, target: null }, createRandom(1));
    model.dispose();
    expect(scored).toMatchObject([
      { index: 0, prediction: 1, success: true, successAfter8Bit: true, linf: 0.5, l0: 1, iterations: 0 },
      { index: 1, prediction: 1, success: true, successAfter8Bit: false },
      { index: 2, prediction: 1, success: false, successAfter8Bit: false, l0: 2 },
      { index: 3, prediction: 0, success: false, l2: 0.25 },
    ]);
  });
});
