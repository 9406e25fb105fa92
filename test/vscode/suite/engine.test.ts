import assert from "node:assert/strict";
import * as vscode from "vscode";
import { doctorPanel } from "../../../src/extension/panels/doctor.ts";
import { inspectorPanel } from "../../../src/extension/panels/inspector/inspector.ts";
import { describe as describeStatus } from "../../../src/extension/views/status.ts";
import { commands, settings } from "../../../src/shared/contributions.ts";
import { type AttackImageResult, type DoctorReport, requests } from "../../../src/shared/protocol.ts";
import { bulwark, closeAll, eventually, hasCode, pictureAndModel } from "../support.ts";

const configure = (name: string, value: unknown): Thenable<void> =>
  vscode.workspace
    .getConfiguration()
    .update(name, value, name === settings.nodePath ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace);

describe("the engine", () => {
  afterEach(closeAll);

  it("shakes hands and tells what it found", async () => {
    const { services } = await bulwark();
    const report = await vscode.commands.executeCommand<DoctorReport>(commands.runDoctor);
    assert.ok(report.backends.some(({ name, available }) => name === "cpu" && available));
    const { status } = services.engine;
    assert.ok(status.kind === "ready" && status.handshake.backend === report.selected);
  });

  it("killed in mid-request, rejects it with ENGINE_EXITED; the next request has a new process", async () => {
    const { services } = await bulwark();
    const first = await services.engine.get();
    const pending = services.engine.request(requests.doctor, {});
    const rejected = assert.rejects(pending, hasCode("ENGINE_EXITED"));
    first.kill("SIGKILL");
    await rejected;
    await eventually("the engine counts as stopped", () => services.engine.status.kind === "stopped");
    const second = await services.engine.get();
    assert.notEqual(second.pid, first.pid);
    assert.ok((await services.engine.request(requests.list, {})).length > 0);
  });

  it("killed under an attack, leaves a card with a way out, and the attack works again", async () => {
    const { services } = await bulwark();
    const { image, model } = await pictureAndModel();
    const options = { model, attack: "pgd", params: { eps: 0.1, steps: 5000 } };
    const lost = vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(image), options);
    await eventually("iterations arrive", () => (inspectorPanel.get(services, image)?.state.trace.length ?? 0) > 0);
    (await services.engine.get()).kill("SIGKILL");
    assert.equal(await lost, undefined);
    const state = inspectorPanel.get(services, image)?.state;
    assert.equal(state?.status, "failed");
    assert.equal(state?.error?.error.code, "ENGINE_EXITED");
    assert.equal(state?.error?.action?.label, "Restart Engine");
    const again = { model, attack: "fgsm", params: {} };
    assert.ok(await vscode.commands.executeCommand<AttackImageResult>(commands.attackThisImage, vscode.Uri.file(image), again));
  });

  it("is cancelled between iterations when the panel is closed", async () => {
    const { services } = await bulwark();
    const { image, model } = await pictureAndModel();
    const options = { model, attack: "pgd", params: { eps: 0.1, steps: 10_000 } };
    const attack = vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(image), options);
    await eventually("iterations arrive", () => (inspectorPanel.get(services, image)?.state.trace.length ?? 0) > 0);
    inspectorPanel.get(services, image)?.panel.dispose();
    assert.equal(await attack, undefined);
    await eventually("the engine is idle", () => services.engine.status.kind === "ready" && services.engine.status.busy === 0);
  });

  it("that cannot start is one error with the setting to change; corrected, it starts", async () => {
    const { services } = await bulwark();
    await configure(settings.nodePath, "/nowhere/node");
    try {
      await eventually("the setting is taken at once", () => services.engine.status.kind === "failed");
      await assert.rejects(services.engine.get(), hasCode("ENGINE_START"));
      assert.equal(services.engine.status.kind, "failed");
    } finally {
      await configure(settings.nodePath, undefined);
    }
    assert.ok((await services.engine.get()).pid > 0);
  });

  it("computes with the backend that is chosen", async () => {
    const { services } = await bulwark();
    await vscode.commands.executeCommand(commands.selectBackend, "cpu");
    try {
      await eventually("it runs again with the setting", () => {
        const { status } = services.engine;
        return status.kind === "ready" && status.handshake.backend === "cpu";
      });
      assert.equal((await services.engine.get()).handshake.backend, "cpu");
    } finally {
      await configure(settings.backend, undefined);
    }
  });

  it("says why the device that is chosen cannot be used; the doctor still looks, and another choice helps", async () => {
    const { services } = await bulwark();
    const foreign = process.platform === "darwin" ? "directml" : "coreml";
    await vscode.commands.executeCommand(commands.selectDevice, foreign);
    try {
      await eventually("the setting is taken at once", () => services.engine.status.kind === "failed");
      await assert.rejects(services.engine.get(), hasCode("BACKEND_UNAVAILABLE"));
      const report = await vscode.commands.executeCommand<DoctorReport>(commands.runDoctor);
      const found = report.devices.find(({ name }) => name === foreign);
      assert.ok(found && !found.available && found.reason);
      assert.ok(report.devices.some(({ name, available }) => name === "cpu" && available));
      assert.equal(doctorPanel.get(services, "")?.state.report, report);
      await vscode.commands.executeCommand(commands.selectDevice, "cpu");
      await eventually("the other setting is seen", () => services.engine.status.kind === "stopped");
      assert.match((await services.engine.get()).handshake.device, /^ONNX Runtime, CPU/);
      assert.match(describeStatus(services).text, /^\$\(shield\) Bulwark: CPU ×\d+$/);
    } finally {
      await configure(settings.device, undefined);
    }
  });
});
