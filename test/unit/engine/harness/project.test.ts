import { describe, expect, it } from "vitest";
import { normsOf, projectOntoBall } from "../../../../src/engine/harness/project.ts";
import { near } from "../fixtures.ts";

const clean = Float32Array.from([0.1, 0.5, 0.9, 0.5]);
const project = (proposal: number[], norm: "linf" | "l2" | "l0", radius: number, channels = 1) =>
  projectOntoBall(Float32Array.from(proposal), clean, { norm, radius }, [1, 4 / channels, channels]);

describe("projection onto a ball", () => {
  it("clamps to [max(0, x − ε), min(1, x + ε)]", () => {
    const { images, moved } = project([-1, 0.55, 2, 0.1], "linf", 0.2);
    expect(near(images, [0, 0.55, 1, 0.3])).toBeLessThan(1e-6);
    expect(moved[0]).toBeCloseTo(1, 6);
  });

  it("scales towards the clean image", () => {
    const { images } = project([0.1, 0.8, 0.9, 0.9], "l2", 0.25); // difference [0, .3, 0, .4], length .5
    expect(near(images, [0.1, 0.65, 0.9, 0.7])).toBeLessThan(1e-6);
    expect(near(project([0.1, 0.6, 0.9, 0.5], "l2", 0.25).images, [0.1, 0.6, 0.9, 0.5])).toBeLessThan(1e-6);
  });

  it("keeps the pixels that changed most", () => {
    expect(near(project([0.2, 0.1, 0.9, 1], "l0", 1).images, [0.1, 0.5, 0.9, 1])).toBeLessThan(1e-6);
    expect(near(project([0.2, 0.1, 0.9, 0.5], "l0", 2).images, [0.2, 0.1, 0.9, 0.5])).toBeLessThan(1e-6);
    expect(near(project([0.1, 0.6, 0.3, 0.5], "l0", 1, 2).images, [0.1, 0.5, 0.3, 0.5])).toBeLessThan(1e-6); // two pixels of two channels
  });

  it("keeps the window that holds most changed pixels", () => {
    const original = new Float32Array(12); // 3×4
    const ball = { norm: "l0", radius: 12, window: 2 } as const;
    const inside = Float32Array.from([0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0]);
    expect(projectOntoBall(inside, original, ball, [3, 4, 1]).moved[0]).toBe(0);
    const beyond = Float32Array.from([1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
    const { images, moved } = projectOntoBall(beyond, original, ball, [3, 4, 1]);
    // Of the squares of 2×2, three hold 3 of the 5 pixels: rows 1–2, columns 1–2 is the first of them.
    expect(Array.from(images)).toEqual([0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0]);
    expect(moved[0]).toBe(1);
  });

  it("measures norms; a pixel counts once however many channels changed", () => {
    const norms = normsOf(Float32Array.from([0.4, 0.9, 0.9, 0.5]), clean, 2);
    expect(norms.linf).toBeCloseTo(0.4, 6);
    expect(norms.l2).toBeCloseTo(0.5, 6);
    expect(norms.l0).toBe(1);
  });
});
