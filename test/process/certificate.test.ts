import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ArmReport, RunReport } from "../../src/shared/results.ts";
import { figuresOf, hashesOf, writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, start, untilEvent, type Workspace } from "./support.ts";

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace, {
    defense: { kind: "volumizedCurriculum", preset: "local", patch: 8 },
    attacks: [{ kind: "lavan", place: "slice", grid: 8, size: "3/16", steps: 60 }],
    explanations: [],
    analyses: [{ kind: "sliceCertificate", slices: [1, 2], patches: [3], attack: "lavan" }],
    compare: [{ name: "undefended" }],
  });
  const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "whole", "--quiet");
  expect(done).toMatchObject({ code: 0 });
});
afterAll(() => workspace.remove());

const armsOf = (name: string): readonly ArmReport[] => readJson<RunReport>(workspace.file(`${name}/report.json`)).arms;
const provenOf = (name: string): unknown => armsOf(name).map(({ certificate, analyses }) => ({ certificate, analyses }));

describe("a run with noise inside one slice and the certificate against it", () => {
  it("that is killed in the training and in the attack ends as the one that was not", async () => {
    let words = ["run", "small.bulwark.jsonc", "--out", "killed"];
    for (const attack of [undefined, "lavan"]) {
      const running = start(workspace, words);
      await untilEvent(running, workspace.file("killed"), (event) =>
        attack === undefined ? event.kind === "step" : event.kind === "phase" && event.attack === attack,
      );
      running.child.kill("SIGKILL");
      expect((await running.finished).signal).toBe("SIGKILL");
      words = ["resume", "killed"];
    }
    expect(await bulwark(workspace, "resume", "killed", "--quiet")).toMatchObject({ code: 0 });
    expect(figuresOf(workspace.file("killed"))).toEqual(figuresOf(workspace.file("whole")));
    expect(hashesOf(workspace.file("killed"))).toEqual(hashesOf(workspace.file("whole")));
    expect(provenOf("killed")).toEqual(provenOf("whole"));
  });

  it("certifies the local arm alone, and nothing that the attack broke", () => {
    for (const name of ["whole", "killed"]) {
      const [local, undefended] = armsOf(name).toSorted((a, b) => Number(a.name === "undefended") - Number(b.name === "undefended"));
      const certificate = local?.certificate;
      if (!certificate || !("images" in certificate)) throw new Error("the local arm has a certificate");
      expect(undefended?.certificate).toEqual({ unavailable: expect.any(String) });
      const [one, two] = certificate.slices;
      expect(one?.correct).toBeGreaterThanOrEqual(two?.correct ?? 0);
      expect(one?.correct).toBeLessThanOrEqual(local?.attacks[0]?.attacked.correct ?? -1);
      expect(certificate.images).toHaveLength(certificate.n);
    }
  });
});
