import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sampleNames, sampleOf } from "../../../src/extension/samples.ts";
import { commands, experimentLanguage, imageExtensions, modelEditor, panels, settings, views } from "../../../src/shared/contributions.ts";
import { singleFileEndings, unsupportedFormats } from "../../../src/shared/modelFormats.ts";

const root = path.resolve(import.meta.dirname, "../../..");
interface MenuItem {
  readonly command: string;
  readonly when?: string;
}
interface Manifest {
  readonly activationEvents: readonly string[];
  readonly extensionKind: readonly string[];
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly supported: unknown; readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string }[];
    readonly menus: Readonly<Record<string, readonly MenuItem[]>>;
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string; readonly when?: string }[];
    readonly configuration: {
      readonly properties: Readonly<Record<string, { readonly description?: string; readonly markdownDescription?: string }>>;
    };
    readonly customEditors: readonly { readonly viewType: string; readonly priority: string; readonly selector: readonly object[] }[];
    readonly languages: readonly { readonly id: string; readonly configuration: string }[];
    readonly grammars: readonly { readonly path: string }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly { readonly description: string; readonly media: { readonly image: string; readonly altText: string } }[];
    }[];
  };
}
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Manifest;
const { contributes } = manifest;
const known = new Set<string>(Object.values(commands));

describe("package.json", () => {
  it("has exactly the commands, views and settings of the code", () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual([...known].sort());
    expect(Object.keys(contributes.views)).toEqual([views.container]);
    expect(contributes.views[views.container]?.map(({ id }) => id)).toEqual([views.models, views.data, views.runs, views.findings]);
    expect(Object.keys(contributes.configuration.properties).sort()).toEqual(Object.values(settings).sort());
    expect(contributes.languages.map(({ id }) => id)).toEqual([experimentLanguage]);
    expect(contributes.customEditors).toMatchObject([
      {
        viewType: modelEditor,
        priority: "option", // HDF5 files belong to others as well
        selector: [{ filenamePattern: "*.onnx" }, { filenamePattern: "*.h5" }, { filenamePattern: "*.keras" }],
      },
    ]);
    for (const id of Object.values(panels)) expect(manifest.activationEvents).toContain(`onWebviewPanel:${id}`);
  });

  it("has titles that begin with a verb, in the category Bulwark", () => {
    const verbs =
      /^(Attack|Cancel|Compare|Copy|Create|Delete|Evaluate|Explain|Fetch|Inspect|Install|Open|Preview|Probe|Rank|Refresh|Restart|Resume|Reveal|Run|Select|Show|Train|Try)\b/;
    for (const { title, category } of contributes.commands) {
      expect(title).toMatch(verbs);
      expect(category).toBe("Bulwark");
    }
  });

  it("offers only commands that exist, in menus, empty views and the walkthrough", () => {
    const inMenus = Object.values(contributes.menus).flatMap((items) => items.map(({ command }) => command));
    for (const command of inMenus) expect(known).toContain(command);
    const texts = [
      ...contributes.viewsWelcome.map(({ contents }) => contents),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map((s) => s.description)),
    ];
    for (const text of texts)
      for (const [, command = ""] of text.matchAll(/\(command:([\w.]+)\)/g))
        if (command.startsWith("bulwark.")) expect(known).toContain(command);
  });

  it("attacks every kind of picture from the explorer and from an editor's title", () => {
    for (const menu of ["explorer/context", "editor/title/context"]) {
      const when = contributes.menus[menu]?.find(({ command }) => command === commands.attackThisImage)?.when ?? "";
      const [, pattern = "", flags = ""] = /=~ \/(.*)\/(\w*)$/.exec(when) ?? [];
      const extension = new RegExp(pattern, flags);
      for (const name of imageExtensions) expect(`.${name}`).toMatch(extension);
      expect(".JPG").toMatch(extension);
      for (const other of [".png2", ".svg", ".jsonc", "png"]) expect(other).not.toMatch(extension);
    }
  });

  it("inspects every model file from the explorer, also one that it can only explain", () => {
    const when = contributes.menus["explorer/context"]?.find(({ command }) => command === commands.inspectModel)?.when ?? "";
    const [, pattern = "", flags = ""] = /=~ \/(.*)\/(\w*)$/.exec(when) ?? [];
    for (const ending of [...singleFileEndings.map((one) => `.${one}`), ...Object.keys(unsupportedFormats)])
      expect(ending).toMatch(new RegExp(pattern, flags));
    expect(".py").not.toMatch(new RegExp(pattern, flags));
  });

  it("runs beside the files, and nothing of a folder that is not trusted", () => {
    expect(manifest.extensionKind).toEqual(["workspace"]);
    const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    expect(supported).toBe("limited");
    // What a folder's settings could use to start a program of its own.
    expect(restrictedConfigurations).toEqual(expect.arrayContaining([settings.nodePath, settings.backend]));
  });

  it("names files that are there", () => {
    const files = [
      ...contributes.languages.map(({ configuration }) => configuration),
      ...contributes.grammars.map((grammar) => grammar.path),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.image)),
      "media/icons/bulwark.svg",
    ];
    for (const file of files) expect(existsSync(path.join(root, file)), file).toBe(true);
  });

  it("brings samples: networks that name their classes, pictures in folders of those names, and their licences", () => {
    const notice = readFileSync(path.join(root, "media/samples/NOTICE.md"), "utf8");
    for (const name of sampleNames) {
      const { model, image, pictures } = sampleOf(root, name);
      expect(existsSync(image), image).toBe(true);
      const contract = JSON.parse(readFileSync(path.join(path.dirname(model), "model.bulwark.json"), "utf8")) as {
        readonly output: { readonly classes: readonly string[] };
      };
      for (const folder of readdirSync(pictures)) {
        expect(contract.output.classes).toContain(folder);
        for (const picture of readdirSync(path.join(pictures, folder))) expect(notice).toContain(picture);
      }
    }
    expect(() => sampleOf(root, "cats")).toThrow("There is no sample");
  });

  it("offers a sample first, wherever a view is empty and in the walkthrough", () => {
    const firstLink = (text: string): string | undefined => /\(command:([\w.]+)\)/.exec(text)?.[1];
    for (const view of [views.models, views.data, views.runs])
      for (const { contents, when = "" } of contributes.viewsWelcome.filter((one) => one.view === view))
        expect(firstLink(contents)).toBe(when.includes("!isWorkspaceTrusted") ? "workbench.trust.manage" : commands.trySample);
    expect(firstLink(contributes.walkthroughs[0]?.steps[0]?.description ?? "")).toBe(commands.trySample);
  });

  it("describes each setting", () => {
    for (const { description, markdownDescription } of Object.values(contributes.configuration.properties))
      expect((description ?? markdownDescription ?? "").length).toBeGreaterThan(20);
  });
});
