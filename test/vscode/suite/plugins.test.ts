import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { bulwark, closeAll, eventually, positionOf, showExperiment, workspace } from "../support.ts";

const plugin = `export default ({ defineAttack, Type, num, tf }) => defineAttack({
  id: "hostBrightness", title: "Brightness", access: "labels", iterative: false,
  params: Type.Object({ glow: num(0.5, "How much is added.", { min: 0, max: 1 }) }),
  ball: ({ glow }) => ({ norm: "linf", radius: glow }),
  async run(model, { images }, { glow }) { return tf.tidy(() => tf.clipByValue(tf.add(images, glow), 0, 1)); },
});
`;
const experiment = `{
  "plugins": ["./host-plugin.mjs"],
  "dataset": { "kind": "mnist", "test": 20 },
  "model": { "kind": "lenet" },
  "attacks": [{ "kind": "hostBrightness", }]
}
`;

describe("plugins", () => {
  before(bulwark);
  afterEach(closeAll);

  it("are in the lists and completed once an experiment that names one is open in a trusted workspace", async () => {
    const { services } = await bulwark();
    assert.ok(vscode.workspace.isTrusted);
    writeFileSync(path.join(workspace(), "host-plugin.mjs"), plugin);
    const known = (): boolean => services.catalog.current.some(({ kind, id }) => kind === "attack" && id === "hostBrightness");
    assert.ok(!known());
    const document = await showExperiment("plugins", experiment);
    await eventually("the attack is in the catalogue", known);
    const labels = await eventually("its parameter is completed", async () => {
      const list = await vscode.commands.executeCommand<vscode.CompletionList>(
        "vscode.executeCompletionItemProvider",
        document.uri,
        positionOf(document, '"hostBrightness", ', 18),
      );
      const found = list.items.map(({ label }) => (typeof label === "string" ? label : label.label));
      return found.includes("glow") && found;
    });
    assert.ok(!labels.includes("eps"));
    const codes = vscode.languages.getDiagnostics(document.uri).map(({ code }) => (typeof code === "object" ? code.value : code));
    assert.ok(!codes.includes("UNKNOWN_ID"));
  });
});
