import { describe, expect, it } from "vitest";
import { attentionBytes, differenceBytes } from "../../../../src/engine/attention/colour.ts";

describe("colours", () => {
  it("draw attention from dark blue to yellow, in the middle grey", () => {
    const bytes = [...attentionBytes([0, 1, 2, Number.NaN])];
    expect(bytes.slice(0, 3)).toEqual([0, 32, 77]);
    expect(bytes.slice(3, 6)).toEqual([255, 234, 70]);
    expect(bytes.slice(6, 9)).toEqual([255, 234, 70]);
    expect(bytes.slice(9)).toEqual([0, 32, 77]);
  });

  it("get brighter with attention, for readers in black and white", () => {
    const bytes = attentionBytes(Float32Array.from({ length: 64 }, (_, i) => i / 63));
    const luma = Array.from(
      { length: 64 },
      (_, i) => 0.299 * (bytes[3 * i] ?? 0) + 0.587 * (bytes[3 * i + 1] ?? 0) + 0.114 * (bytes[3 * i + 2] ?? 0),
    );
    expect(luma.every((value, i) => i === 0 || value > (luma[i - 1] as number))).toBe(true);
  });

  it("scale a difference by its largest change and leave unchanged pixels grey", () => {
    const { bytes, max } = differenceBytes([0.5, 0.5, 0.5], [0.5, 0.75, 0.25], 1);
    expect(max).toBe(0.25);
    expect([...bytes]).toEqual([128, 128, 128, 166, 66, 0, 5, 62, 140]);
  });

  it("take the channel that changed most", () => {
    const { bytes, max } = differenceBytes([0, 0, 0, 1, 1, 1], [0.125, 0, 0.0625, 1, 0.5, 1], 3);
    expect(max).toBe(0.5);
    expect([...bytes.slice(3)]).toEqual([5, 62, 140]);
  });

  it("draw no change as grey", () => {
    expect(differenceBytes([0.2], [0.2], 1)).toEqual({ bytes: Uint8Array.of(128, 128, 128), max: 0 });
  });
});
