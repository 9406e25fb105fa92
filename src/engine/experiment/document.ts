import { createHash } from "node:crypto";
import { runFiles } from "../../shared/runs.ts";
import { type Bound, documented } from "../define/index.ts";
import type { PluginFile } from "../plugins/locate.ts";
import { version } from "../session/version.ts";
import { hasOwnName, type ResolvedArm, type ResolvedModel } from "./arms.ts";
import type { RunEnvironment } from "./environment.ts";
import type { ResolvedExperiment } from "./resolve.ts";

/** What `experiment.json` says beside the experiment: enough to know whether two runs can be compared. */
export interface Environment {
  readonly version: string;
  readonly node: string;
  readonly backend: string;
  readonly device: string;
  /** The experiment file as it was named. */
  readonly source: string;
  readonly experimentHash: string;
  /** For `evaluate`: the model that was named. */
  readonly modelPath: string | null;
  /** Images used, and SHA-256 over the first 256 test images and their labels. */
  readonly data: { readonly train: number; readonly test: number; readonly sha256: string };
  /** Of weights.bin or the model file, by arm, once it is there. */
  readonly models: Readonly<Record<string, string>>;
  /** SHA-256 of the plugins' files; absent where there are none. */
  readonly plugins?: readonly PluginFile[];
}

const chosen = (bound: Bound) => {
  const { id, params } = documented(bound);
  return { kind: id, ...params };
};
const chosenModel = (model: ResolvedModel) =>
  "file" in model
    ? { file: model.file, ...(model.input ? { input: model.input } : {}), ...(model.fineTune ? { fineTune: true } : {}) }
    : chosen(model);
function chosenDefense(arm: ResolvedArm): unknown {
  const [first, ...more] = [...arm.training, ...arm.front].map(chosen);
  return more.length > 0 ? [first, ...more] : (first ?? { kind: "standard" });
}
const armDocument = (arm: ResolvedArm, seed: number) => ({
  ...(arm.seed === seed ? {} : { seed: arm.seed }),
  model: chosenModel(arm.model),
  defense: chosenDefense(arm),
  train: arm.train,
});

/** The experiment in the form that people write (contract.md §3), all defaults filled in: it can be run again as it is. */
export function experimentDocument(experiment: ResolvedExperiment): Record<string, unknown> {
  const [first, ...others] = experiment.arms as readonly [ResolvedArm, ...ResolvedArm[]];
  const { train, test } = experiment.dataset;
  return {
    name: experiment.name,
    seed: experiment.seed,
    dataset: { ...chosen(experiment.dataset), ...(train === null ? {} : { train }), ...(test === null ? {} : { test }) },
    ...(hasOwnName(first) ? { arm: first.name } : {}),
    ...armDocument(first, experiment.seed),
    attacks: experiment.attacks.map(({ knowledge, ...attack }) => ({ ...chosen(attack), ...(knowledge === "both" ? {} : { knowledge }) })),
    detectors: experiment.detectors.map((detector) => ({ ...chosen(detector), falsePositiveRate: detector.falsePositiveRate })),
    explanations: experiment.explanations.map(({ images, ...explanation }) => ({
      ...chosen(explanation),
      ["samples" in explanation.params ? "images" : "samples"]: images,
    })),
    analyses: experiment.analyses.map(chosen),
    compare: others.map((arm) => ({ name: arm.name, ...armDocument(arm, experiment.seed) })),
    control: experiment.control,
    expect: experiment.expect,
    plugins: experiment.plugins.map(({ file }) => file),
  };
}

/** The plugins of an experiment as they were when it began. */
export const pluginFiles = ({ plugins }: ResolvedExperiment): PluginFile[] => plugins.map(({ file, sha256 }) => ({ file, sha256 }));

/** Writes `experiment.json`: the experiment with its surroundings. @param models hashes of the models that are there */
export async function writeExperiment(
  { experiment, engine, source, request, modelPath, data, store }: RunEnvironment,
  models: Environment["models"],
): Promise<Record<string, unknown>> {
  const document = experimentDocument(experiment);
  const environment: Environment = {
    version,
    node: process.versions.node,
    backend: engine.backend,
    device: engine.device,
    source,
    experimentHash: hashOf(document),
    modelPath,
    data: { train: data.trainSize, test: data.test.n, sha256: data.sha256 },
    models,
    ...(experiment.plugins.length > 0 ? { plugins: pluginFiles(experiment) } : {}),
  };
  const whole = { ...document, ...(request === undefined ? {} : { request }), environment };
  await store.writeJson(runFiles.experiment, whole);
  return whole;
}

/** JSON with sorted keys, so that equal values give equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, v]) => `${JSON.stringify(key)}:${canonical(v)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value);
}

export const hashOf = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex");
