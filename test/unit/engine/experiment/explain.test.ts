import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { experimentDocument } from "../../../../src/engine/experiment/document.ts";
import { parseExperiment } from "../../../../src/engine/experiment/load.ts";
import { resolveExperiment } from "../../../../src/engine/experiment/resolve.ts";
import { placesOf } from "../../../../src/engine/experiment/stages/explain.ts";

it("explains the first images where classes are mixed, and some of every class where they lie class by class", () => {
  const mixed = Array.from({ length: 12 }, (_, i) => (i * 7) % 4);
  expect(placesOf(mixed, 4)).toEqual([0, 1, 2, 3]);
  const sorted = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
  expect(placesOf(sorted, 4)).toEqual([0, 3, 6, 9]);
  expect(placesOf(sorted, 12)).toEqual(sorted.map((_, i) => i));
  expect(placesOf([], 0)).toEqual([]);
});

it("counts the images to explain by samples, unless that is a parameter of the explanation", async () => {
  const resolve = async (text: string) =>
    resolveExperiment((await parseExperiment(text, "x", tmpdir())).experiment, { directory: tmpdir(), name: "x" });
  const kinds =
    '{ "kind": "gradCam", "samples": 2 }, { "kind": "gradCam" }, { "kind": "lime", "samples": 300 }, { "kind": "lime", "images": 3 }';
  const resolved = await resolve(`{ "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" }, "explanations": [${kinds}] }`);
  expect(resolved.explanations.map(({ images, params }) => [images, params["samples"]])).toEqual([
    [2, undefined],
    [4, undefined],
    [4, 300],
    [3, 1000],
  ]);
  expect((await resolve(JSON.stringify(experimentDocument(resolved)))).explanations).toEqual(resolved.explanations);
});
