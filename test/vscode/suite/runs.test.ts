import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import type { RunEntry } from "../../../src/extension/views/runIndex.ts";
import { commands, panels } from "../../../src/shared/contributions.ts";
import { parseDriver } from "../../../src/shared/driver.ts";
import { parseEvents } from "../../../src/shared/events.ts";
import type { RunExperimentResult } from "../../../src/shared/protocol.ts";
import { bulwark, closeAll, eventually, oneTabOf, showExperiment, workspace } from "../support.ts";

const small = `{
  "seed": 1,
  "dataset": { "kind": "mnist", "train": 128, "test": 8 },
  "model": { "kind": "lenet" },
  "train": { "epochs": 1, "batchSize": 64, "validation": 0.1 },
  "attacks": [{ "kind": "fgsm", "eps": 0.3 }]
}
`;
const endless = small.replace('"train": 128', '"train": 6000').replace('"epochs": 1', '"epochs": 500');

async function runOf(title: string): Promise<RunEntry | undefined> {
  const { services } = await bulwark();
  return (await services.runs.all()).find((run) => run.state.title === title);
}

describe("experiments", () => {
  afterEach(closeAll);

  it("run in a process of their own, with curves, report, headline and lens", async function () {
    this.timeout(180_000);
    const { services, trees } = await bulwark();
    const document = await showExperiment("small", small);
    const result = await vscode.commands.executeCommand<RunExperimentResult>(commands.runExperiment, document.uri);
    assert.ok(result, "the run ended with a result");
    for (const file of ["events.jsonl", "report.json", "report.html", "model/model.json"])
      assert.ok(existsSync(path.join(result.directory, file)), `${file} was written`);
    await oneTabOf(panels.training);
    services.runs.refresh();
    const run = await runOf("small");
    assert.equal(run?.state.status, "done");
    const node = ((await trees.runs.getChildren()) ?? []).find((one) => one.run === run?.id);
    assert.match(node?.item.contextValue ?? "", /^run\.done\.experiment$/);
    assert.ok(((await trees.models.getChildren()) ?? []).some((one) => one.uri?.fsPath.startsWith(result.directory)));
    await vscode.commands.executeCommand(commands.openReport, run?.id);
    await oneTabOf(panels.report);
    await eventually("the lens names the last result", async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", document.uri, 10);
      return lenses.some((lens) => lens.command?.command === commands.openReport && lens.command.arguments?.[0] === run?.id);
    });
  });

  it("are cancelled, stay readable, are deleted and put back", async function () {
    this.timeout(120_000);
    const { services } = await bulwark();
    const document = await showExperiment("endless", endless);
    const running = vscode.commands.executeCommand(commands.runExperiment, document.uri);
    const live = await eventually("the run is under way", async () => {
      const run = await runOf("endless");
      return run?.state.status === "running" && services.runs.live.has(run.id) && run;
    });
    const waiting = vscode.commands.executeCommand(commands.runExperiment, document.uri);
    await eventually("a second run waits", () => services.queue.waiting.length === 1);
    const [second] = services.queue.waiting;
    assert.equal(await vscode.commands.executeCommand(commands.cancelRun, second?.id), true);
    assert.equal(await waiting, undefined);
    assert.equal(await vscode.commands.executeCommand(commands.cancelRun, live.id), true);
    assert.equal(await running, undefined);
    services.runs.refresh();
    assert.equal((await runOf("endless"))?.state.status, "cancelled");
    const aside = await vscode.commands.executeCommand<string>(commands.deleteRun, live.id);
    assert.ok(!existsSync(live.directory) && existsSync(aside));
  });

  it("of which only files speak are not running, and no process that they name is signalled", async () => {
    const { services } = await bulwark();
    const stranger = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
      stdio: "ignore",
    });
    const directory = path.join(workspace(), ".bulwark/runs/cloned");
    mkdirSync(directory, { recursive: true });
    try {
      for (const pid of [-1, stranger.pid]) {
        const state = {
          version: 1,
          run: "cloned",
          kind: "experiment",
          title: "cloned",
          status: "running",
          pid,
          completed: [],
          error: null,
        };
        const times = { createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-01T00:00:00.000Z", progress: 0, headline: null };
        writeFileSync(path.join(directory, "state.json"), JSON.stringify({ ...state, ...times }));
        services.runs.refresh();
        assert.equal((await runOf("cloned"))?.state.status, "interrupted");
        assert.equal(await vscode.commands.executeCommand(commands.cancelRun, "cloned"), false);
      }
      assert.deepEqual([stranger.exitCode, stranger.signalCode], [null, null]);
    } finally {
      stranger.kill("SIGKILL");
      rmSync(directory, { recursive: true });
      services.runs.refresh();
    }
  });

  it("that were killed count as interrupted, keep their curves, and are resumed to their end", async function () {
    this.timeout(240_000);
    const { services } = await bulwark();
    const document = await showExperiment("killed", small.replace('"train": 128', '"train": 512').replace('"epochs": 1', '"epochs": 4'));
    const running = vscode.commands.executeCommand(commands.runExperiment, document.uri);
    const run = await eventually("the run is under way", async () => {
      const found = await runOf("killed");
      return found?.state.status === "running" && services.runs.live.has(found.id) && found;
    });
    const driver = parseDriver(readFileSync(path.join(run.directory, "driver.json"), "utf8"));
    assert.ok(driver, "the run has a lock");
    process.kill(driver.pid, "SIGKILL");
    assert.equal(await running, undefined);
    services.runs.refresh();
    assert.equal((await runOf("killed"))?.state.status, "interrupted");
    await vscode.commands.executeCommand(commands.openRun, run.id);
    await oneTabOf(panels.training);
    const result = await vscode.commands.executeCommand<RunExperimentResult | undefined>(commands.resumeRun, run.id);
    assert.equal(result?.directory, run.directory);
    services.runs.refresh();
    assert.equal((await runOf("killed"))?.state.status, "done");
    const kinds = parseEvents(readFileSync(path.join(run.directory, "events.jsonl"), "utf8")).map(({ kind }) => kind);
    assert.ok(kinds.includes("resumed"));
    assert.equal(kinds.at(-1), "done");
  });
});
