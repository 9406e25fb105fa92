import path from "node:path";
import { Type } from "@sinclair/typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defineInferenceDefense, int } from "../../../../src/engine/define/index.ts";
import { resolveArms } from "../../../../src/engine/experiment/arms.ts";
import { networkKey, ownerOf, runningOrder, staticSources } from "../../../../src/engine/experiment/networks.ts";
import { resolveExperiment } from "../../../../src/engine/experiment/resolve.ts";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { sourcesOf as controlSources } from "../../../../src/engine/experiment/stages/knowledge.ts";
import { register } from "../../../../src/engine/registry.ts";
import { type Engine, startEngine } from "../../../../src/engine/session/engine.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import type { Experiment } from "../../../../src/shared/experiment.ts";
import type { ArmReport, RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, readJson, writeData } from "../../../process/support.ts";

/** Rounds to 2^depth grey levels; its gradient is taken as the identity. */
const rounding = defineInferenceDefense({
  id: "testRounding",
  title: "Test rounding",
  paper: "",
  params: Type.Object({ depth: int(1, "Bits.", { min: 1, max: 8 }) }),
  backward: () => "bpda",
  transform: (x, { depth }) => tf.div(tf.round(tf.mul(x, 2 ** depth - 1)), 2 ** depth - 1) as Images,
});
/** Means over 3×3 pixels; differentiable. */
const blurring = defineInferenceDefense({
  id: "testBlurring",
  title: "Test blurring",
  paper: "",
  params: Type.Object({}),
  backward: () => "exact",
  transform: (x) => tf.avgPool(x, 3, 1, "same") as Images,
});

const workspace = newWorkspace();
const withdraw = [register("defense", rounding), register("defense", blurring)];
afterAll(() => {
  for (const back of withdraw) back();
  workspace.remove();
});

const base = { dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 }, model: { kind: "papernot" } };
const arms = (more: Partial<Experiment>) => resolveArms({ ...base, ...more }, "/data");
const sourcesOf = (more: Partial<Experiment>) => staticSources(arms(more), more.control ?? false);
const volumized = { kind: "volumizedCurriculum", patch: 8 };
const [bits, blur] = [{ kind: "testRounding" }, { kind: "testBlurring" }];

describe("the defences of an arm", () => {
  it("are one or a list: training ones stack, those in front stay in the order in which they are written", () => {
    const [one, list] = arms({ defense: bits, compare: [{ name: "all", defense: [blur, volumized, { ...bits, depth: 3 }] }] });
    expect([one?.name, one?.training.length, one?.front.map(({ id, params }) => [id, params])]).toEqual([
      "testRounding",
      0,
      [["testRounding", { depth: 1 }]],
    ]);
    expect(list?.training.map(({ id }) => id)).toEqual(["volumizedCurriculum"]);
    expect(list?.front.map(({ id, params }) => [id, params["depth"]])).toEqual([
      ["testBlurring", undefined],
      ["testRounding", 3],
    ]);
  });

  it("name an arm of compare that has no name", () => {
    const compare = [{ defense: { kind: "jpeg", quality: 80 } }, { defense: [volumized, { kind: "bitDepth", depth: 2 }] }];
    const [, jpeg, both] = arms({ compare });
    expect(jpeg?.name).toBe("JPEG 80");
    expect(both?.name).toMatch(/ \+ Bit depth 2$/);
    expect(() => arms({ compare: [compare[0], compare[0]] as never })).toThrow(/Two arms are called "JPEG 80"/);
    expect(() => arms({ compare: [{}] })).toThrow(/Two arms are called "undefended"/);
  });

  it("name the experiment's own arm", () => {
    expect(arms({ defense: [volumized, bits] })[0]?.name).toBe("volumizedCurriculum + testRounding");
    expect(arms({ defense: [{ kind: "standard" }] })[0]?.name).toBe("undefended");
    expect(arms({})[0]?.name).toBe("undefended");
    expect(arms({ arm: "LeNet", defense: bits })[0]?.name).toBe("LeNet");
    expect(() => arms({ arm: "twin", compare: [{ name: "twin" }] })).toThrow(/Two arms are called "twin"/);
  });

  it.each([
    [{ defense: [volumized, { kind: "jpg" }] }, "UNKNOWN_ID", /no defense "jpg"/],
    [{ defense: [{ ...bits, depth: 9 }] }, "PARAMETER_INVALID", /depth is 9/],
    [{ compare: [{ name: "undefended", defense: bits }] }, "EXPERIMENT_INVALID", /Two arms are called "undefended"/],
    [{ control: "twin" }, "EXPERIMENT_INVALID", /no arm "twin"/],
    [{ control: "twin", compare: [{ name: "twin", defense: bits }] }, "EXPERIMENT_INVALID", /"twin" is defended/],
    [{ control: "twin", compare: [{ name: "twin" }] }, "EXPERIMENT_INVALID", /"twin" has the network/],
  ])("%j is refused", (more, code, message) => {
    expect(() => sourcesOf(more)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe("a network", () => {
  it("is one for arms that are trained in the same way, whatever stands in front", () => {
    const all = arms({
      defense: bits,
      compare: [{ name: "plain" }, { name: "blurred", defense: blur }, { name: "twin", seed: 2 }, { name: "short", train: { epochs: 1 } }],
    });
    expect(new Set(all.map(networkKey)).size).toBe(3);
    expect(all.map((arm) => ownerOf(arm, all).name)).toEqual(["testRounding", "testRounding", "testRounding", "twin", "short"]);
  });

  it("of a model file is one whatever the settings of a training that does not happen", () => {
    const model = { file: "m/model.json" };
    const [one, other] = arms({ model, compare: [{ name: "other", train: { epochs: 9 }, seed: 3, defense: bits }] });
    expect(networkKey(other as never)).toBe(networkKey(one as never));
  });
});

describe("static images", () => {
  it("are made against the same network with nothing in front, listed or not, and against the undefended arm for one that is trained", () => {
    const compare = [
      { name: "both", defense: [volumized, bits] },
      { name: "trained", defense: { ...volumized, patch: 4 } },
      { name: "rounded", defense: bits },
      { name: "twin", seed: 2 },
    ];
    const all = arms({ compare });
    const sources = staticSources(all, "twin");
    expect(all.map((arm) => sources.of(arm)?.name ?? null)).toEqual([
      null,
      "both without Test rounding",
      "undefended",
      "undefended",
      "undefended",
    ]);
    expect(sources.unlisted.map(({ index, front, training }) => [index, front.length, training.length])).toEqual([[-1, 0, 1]]);
    expect(runningOrder(all, sources).map(({ name }) => name)).toEqual([
      "undefended",
      "twin",
      "trained",
      "both without Test rounding",
      "both",
      "rounded",
    ]);
  });
});

describe("the control arm", () => {
  const trained = { name: "trained", defense: volumized };

  it("is the undefended network once more, of another seed, which no report shows", () => {
    const all = arms({ seed: 4, compare: [trained] });
    const { control, unlisted, undefended } = staticSources(all, true);
    expect(control).toEqual({ ...undefended, index: -1, name: "second undefended network", seed: 5 });
    expect(unlisted).toEqual([control]);
    expect(runningOrder(all, staticSources(all, true)).map(({ name }) => name)).toEqual([
      "undefended",
      "second undefended network",
      "trained",
    ]);
  });

  it("is an arm of the experiment where one is just that", () => {
    const all = arms({ compare: [trained, { name: "short", seed: 7, train: { epochs: 1 } }, { name: "twin", seed: 9 }] });
    const { control, unlisted } = staticSources(all, true);
    expect([control?.name, unlisted]).toEqual(["twin", []]);
  });

  it.each([
    ["nothing is defended in its training", { compare: [{ name: "rounded", defense: bits }] }, true],
    ["the undefended network is a file", { model: { file: "m/model.json" }, compare: [trained] }, true],
    ["no arm is undefended", { defense: volumized }, true],
    ["none is wanted", { compare: [trained] }, false],
  ])("is none where %s", (_, more, control) => {
    expect(staticSources(arms(more), control).control).toBeNull();
  });

  it("keeps its name for itself", () => {
    const compare = [trained, { name: "second undefended network", defense: bits }];
    expect(() => staticSources(arms({ compare }), true)).toThrow(expect.objectContaining({ code: "EXPERIMENT_INVALID" }));
  });

  it("is left out where no attack is static", () => {
    const resolved = (attack: object, control?: boolean) =>
      resolveExperiment(
        { ...base, compare: [trained], attacks: [{ kind: "pgd", ...attack }], ...(control === undefined ? {} : { control }) },
        { directory: "/data", name: "x" },
      );
    const sources = [{}, { knowledge: "static" }, { knowledge: "adaptive" }].map(
      (attack) => controlSources(resolved(attack)).control?.name,
    );
    expect(sources).toEqual(["second undefended network", "second undefended network", undefined]);
    expect([resolved({}), resolved({}, false)].map(({ control }) => control)).toEqual([true, false]);
  });
});

describe("three arms on one network", () => {
  let engine: Engine;
  let report: RunReport;
  const trained: string[] = [];
  beforeAll(async () => {
    engine = await startEngine("onnxruntime");
    await writeData(workspace);
    const experiment = {
      ...base,
      seed: 5,
      train: { epochs: 3, batchSize: 8, learningRate: 0.001 },
      attacks: [{ kind: "pgd", eps: 0.45, steps: 30, stepSize: 0.03 }],
      compare: [
        { name: "rounded", defense: bits },
        { name: "blurred", defense: blur },
        { name: "twin", seed: 6 },
      ],
      control: "twin",
    };
    const file = workspace.write("three.bulwark.jsonc", JSON.stringify(experiment));
    const params = { file, workspace: workspace.directory, directory: workspace.file("run"), mode: "run" as const, backend: "auto" };
    const onEvent = (event: { kind: string; arm?: string }) => void (event.kind === "trained" && trained.push(String(event.arm)));
    await runExperiment(params, { engine, signal: new AbortController().signal, onEvent });
    report = readJson(path.join(workspace.file("run"), "report.json"));
  }, 240_000);
  const arm = (name: string): ArmReport => report.arms.find((one) => one.name === name) as ArmReport;

  it("train it once and say that they share it", () => {
    expect(trained).toEqual(["undefended", "twin"]);
    expect(report.arms.map(({ name, network }) => [name, network])).toEqual([
      ["undefended", undefined],
      ["rounded", "undefended"],
      ["blurred", "undefended"],
      ["twin", undefined],
    ]);
    expect(arm("rounded").defenses).toMatchObject([{ id: "testRounding", params: { depth: 1 } }]);
  });

  it("fall to an attack that knows the rounding, and say how it was made", () => {
    const [pgd] = arm("rounded").attacks;
    expect(pgd?.clean.accuracy).toBeGreaterThan(0.9);
    expect(pgd?.attacked.accuracy).toBeLessThan(0.05);
    expect([pgd?.mode, pgd?.how]).toEqual(["adaptive", "BPDA through test rounding"]);
    expect(arm("blurred").attacks[0]?.how).toBe("gradients through test blurring");
    expect(arm("undefended").attacks[0]).not.toHaveProperty("how");
  });

  it("are shown the images of the bare network, and so is the control", () => {
    for (const name of ["rounded", "blurred"]) expect(arm(name).attacks[0]?.static).toMatchObject({ source: "undefended", n: 24 });
    const control = arm("twin").attacks[0]?.static;
    expect(control).toMatchObject({ source: "undefended" });
    expect(arm("rounded").attacks[0]?.static?.control).toEqual({
      arm: "twin",
      attacked: control?.attacked,
      defenseSuccessOfFooled: control?.defenseSuccessOfFooled,
    });
  });
});
