import { parse } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { resolveExperiment } from "../../../src/engine/experiment/resolve.ts";
import { experimentTemplate, type TemplateParts } from "../../../src/extension/experimentTemplate.ts";
import { shapeProblems } from "../../../src/language-server/shape.ts";
import catalog from "../../../src/shared/catalog.generated.json" with { type: "json" };
import type { Catalog } from "../../../src/shared/catalog.ts";
import type { Experiment } from "../../../src/shared/experiment.ts";

const parts: readonly (readonly [string, TemplateParts])[] = [
  ["nothing", {}],
  ["a model and photos", { model: "nets/mine/model.json", data: { kind: "imageFolder", path: 'my "photos"/pets' } }],
  ["a model alone", { model: "model.json" }],
  ["a model of gray pictures", { model: "model.json", isGrayscale: true, data: { kind: "imageFolder", path: "digits" } }],
  ["a model and a known set", { model: "model.json", data: { kind: "cifar10", path: "" } }],
  ["photos alone", { data: { kind: "imageFolder", path: "photos" } }],
  ["arrays alone", { data: { kind: "arrays", path: "x.npz" } }],
  ["digits alone", { data: { kind: "fashionMnist", path: "" } }],
];

describe("the template of an experiment", () => {
  it.each(parts)("is one that runs as it stands: %s", (_, given) => {
    const text = experimentTemplate(given);
    expect(shapeProblems(text, catalog as unknown as Catalog)).toEqual([]);
    const experiment = parse(text) as Experiment;
    expect(() => resolveExperiment(experiment, { directory: "/folder", name: "x" })).not.toThrow();
    if (given.data) expect(experiment.dataset).toMatchObject({ kind: given.data.kind, ...(given.data.path && { path: given.data.path }) });
    if (given.model) expect(experiment.model).toEqual({ file: given.model });
  });
});
