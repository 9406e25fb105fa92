import assert from "node:assert/strict";
import * as vscode from "vscode";
import { commands, panels, settings, views } from "../../../src/shared/contributions.ts";
import { bulwark } from "../support.ts";

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly category: string }[];
    readonly views: { readonly bulwark: readonly { readonly id: string }[] };
    readonly viewsWelcome: readonly { readonly view: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
  };
}
const manifest = (): Manifest => {
  const extension = vscode.extensions.getExtension("bulwark-ml.bulwark");
  assert.ok(extension);
  return extension.packageJSON as Manifest;
};

describe("activation", () => {
  it("starts neither engine nor run", async () => {
    const { services } = await bulwark();
    assert.equal(services.queue.active, undefined);
    assert.ok(["stopped", "ready"].includes(services.engine.status.kind));
  });

  it("registers every command that is contributed, and contributes every one it has", async () => {
    await bulwark();
    const registered = await vscode.commands.getCommands(true);
    const contributed = manifest().contributes.commands.map(({ command }) => command);
    for (const id of Object.values(commands)) {
      assert.ok(registered.includes(id), `${id} is registered`);
      assert.ok(contributed.includes(id), `${id} is contributed`);
    }
    assert.equal(contributed.length, Object.values(commands).length);
    assert.ok(manifest().contributes.commands.every(({ category }) => category === "Bulwark"));
  });

  it("contributes the views, each with a sentence for when it is empty", () => {
    const { contributes } = manifest();
    const trees = [views.models, views.data, views.runs, views.findings];
    assert.deepEqual(
      contributes.views.bulwark.map(({ id }) => id),
      trees,
    );
    for (const id of trees) assert.ok(contributes.viewsWelcome.some(({ view }) => view === id));
  });

  it("knows each of its settings and is woken by each of its panels", () => {
    const properties = Object.keys(manifest().contributes.configuration.properties);
    assert.deepEqual(properties.sort(), Object.values(settings).sort());
    for (const id of Object.values(panels)) assert.ok(manifest().activationEvents.includes(`onWebviewPanel:${id}`));
  });
});
