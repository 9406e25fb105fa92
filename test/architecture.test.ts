import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import "../src/engine/backends/cpu.ts";
import { catalog } from "../src/engine/catalog.ts";
import { commands, experimentLanguage, settings, views } from "../src/shared/contributions.ts";

const root = path.resolve(import.meta.dirname, "..");
const text = (file: string) => readFileSync(path.join(root, file), "utf8");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && existsSync(path.join(root, file)));
const sources = tracked.filter((file) => /^(src|webview)\/.*\.ts$/.test(file));
const written = tracked.filter((file) => /^(src|webview|test|scripts|bench)\/.*\.(ts|mjs)$/.test(file) || file === "esbuild.mjs");

interface Import {
  readonly from: string;
  /** A file of ours by its path from the root, or a package or built-in module by its name. */
  readonly to: string;
  readonly typeOnly: boolean;
}
const parsed = new Map(
  sources.map((file) => [file, ts.createSourceFile(file, text(file), ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)] as const),
);

/** Every import, export … from, dynamic import, require and `import("…")` type, type-only ones included. */
function importsOf(file: string, source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean) => {
    if (!node || !ts.isStringLiteralLike(node)) return;
    const to = node.text.startsWith(".") ? path.posix.normalize(path.posix.join(path.posix.dirname(file), node.text)) : node.text;
    found.push({ from: file, to, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const loads =
        expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(expression) && /^require(Native)?$/.test(expression.text)) ||
        expression.getText(source) === "require.resolve";
      if (loads) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
const imports = [...parsed].flatMap(([file, source]) => importsOf(file, source));
const ours = (name: string) => /^(src|webview|test|scripts|bench|media)\//.test(name);
const packageName = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
const broken = (rule: (edge: Import) => boolean) => imports.filter(rule).map(({ from, to }) => `${from} → ${to}`);

describe("who may import whom", () => {
  const allowed: Readonly<Record<string, readonly string[]>> = {
    "src/shared/": ["src/shared/"],
    "src/engine/": ["src/engine/", "src/shared/"],
    "src/cli/": ["src/cli/", "src/engine/", "src/shared/"],
    "src/language-server/": ["src/language-server/", "src/shared/"],
    "src/extension/": ["src/extension/", "src/shared/"],
    "webview/": ["webview/", "src/shared/", "media/styles/"],
  };

  it("every source file lies in a known folder", () => {
    expect(sources.filter((file) => !Object.keys(allowed).some((folder) => file.startsWith(folder)))).toEqual([]);
  });

  for (const [folder, targets] of Object.entries(allowed))
    it(`${folder} imports of ours only ${targets.join(", ")}`, () => {
      const outside = (to: string) => ours(to) && !targets.some((target) => to.startsWith(target));
      expect(broken(({ from, to }) => from.startsWith(folder) && outside(to))).toEqual([]);
    });

  it("only the extension knows vscode", () => {
    expect(broken(({ from, to }) => to === "vscode" && !from.startsWith("src/extension/"))).toEqual([]);
  });

  it("webviews and the shared folder run in a browser: no Node modules", () => {
    expect(broken(({ from, to }) => /^(webview|src\/shared)\//.test(from) && to.startsWith("node:"))).toEqual([]);
  });

  it("no process is signalled by its number, except a group that was started here and the process itself", () => {
    const signals = sources.flatMap((file) => (text(file).match(/\bprocess\.kill\([^)]+\)/g) ?? []).map((call) => `${file}: ${call}`));
    const asks = /process\.kill\(pid, 0\)$/; // signal 0 is none
    const itself = 'src/engine/plugins/deadline.ts: process.kill(process.pid, "SIGKILL")';
    expect(signals.filter((call) => !asks.test(call))).toEqual([itself, "src/extension/runtime/npm.ts: process.kill(-child.pid, signal)"]);
  });

  it("engine and command line open files for reading through one door, which lets in regular files alone", () => {
    const door = "src/engine/io/files.ts";
    const ofTheSystem = /^src\/engine\/(io\/(machine|memory)|backends\/devices\/(names|trial)|backends\/onnxruntime\/native)\.ts$/;
    const ownOnly = ["src/engine/io/publish.ts: fs.open(", "src/engine/importers/keras/archive.ts: createReadStream("]; // a folder to flush; an open file
    const opened = sources
      .filter((file) => /^src\/(engine|cli)\//.test(file) && file !== door && !ofTheSystem.test(file))
      .flatMap((file) =>
        [...text(file).matchAll(/(?<![\w.])(?:fs\.)?(?:readFile|readFileSync|openSync|createReadStream|copyFile)\(|\bfs\.open\(/g)].map(
          ([call]) => `${file}: ${call}`,
        ),
      );
    expect(opened.filter((call) => !ownOnly.includes(call))).toEqual([]);
    const others = imports.filter(
      ({ from, to }) =>
        /^src\/(engine|cli)\//.test(from) && /^node:fs/.test(to) && /import \{[^}]*\bopen\b[^}]*\} from "node:fs/.test(text(from)),
    );
    expect([...new Set(others.map(({ from }) => from))]).toEqual(["src/engine/io/npz.ts", "src/engine/jobs/defendDataset.ts"]); // they write
  });

  const single: readonly (readonly [string, RegExp])[] = [
    ["@tensorflow/tfjs-core", /^src\/engine\/(tf\.ts|backends\/)/],
    ["@tensorflow/tfjs-layers", /^src\/engine\/(tf\.ts|backends\/)/],
    ["@tensorflow/tfjs-backend-cpu", /^src\/engine\/backends\//],
    ["@tensorflow/tfjs-backend-wasm", /^src\/engine\/backends\//],
  ];
  for (const [name, place] of single)
    it(`${name} is imported in ${place.source} alone`, () => {
      const elsewhere = broken(({ from, to }) => packageName(to) === name && !place.test(from));
      expect(elsewhere).toEqual([]);
      expect(imports.some(({ to }) => packageName(to) === name)).toBe(true);
    });

  for (const name of ["sharp", "uplot", "@vscode/webview-ui-toolkit", "fast-xml-parser", "onnxruntime-node", "vscode-languageclient"])
    it(`${name} has one importer`, () => {
      const importers = imports.filter((edge) => packageName(edge.to) === name && !edge.typeOnly).map(({ from }) => from);
      expect([...new Set(importers)]).toHaveLength(1);
    });

  it("every package that is imported is a declared dependency", () => {
    const manifest = JSON.parse(text("package.json"));
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies }));
    const free = new Set(["vscode", "@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"]);
    const known = (to: string) =>
      to.startsWith("node:") || ours(to) || to.startsWith("../") || declared.has(packageName(to)) || free.has(to);
    expect(broken(({ to }) => !known(to))).toEqual([]);
  });
});

describe("inside the engine", () => {
  const folderOf = (file: string) => /^src\/engine\/([^/]+)\//.exec(file)?.[1] ?? "";
  const entries = ["attacks", "defenses", "detectors", "explanations", "measures", "metrics"];

  it("registry entries import neither jobs nor the registry nor each other's folders", () => {
    const forbidden = ({ from, to }: Import) =>
      entries.includes(folderOf(from)) &&
      (/^src\/engine\/(jobs\/|registry\.ts|main\.ts)/.test(to) || (entries.includes(folderOf(to)) && folderOf(to) !== folderOf(from)));
    expect(broken(forbidden)).toEqual([]);
  });

  it("registry entries take types of the harness, never its code", () => {
    expect(broken(({ from, to, typeOnly }) => entries.includes(folderOf(from)) && folderOf(to) === "harness" && !typeOnly)).toEqual([]);
  });

  it("only the jobs and the hosts know the jobs", () => {
    expect(broken(({ from, to }) => folderOf(to) === "jobs" && !/^src\/(engine\/(jobs\/|main\.ts|server\.ts)|cli\/)/.test(from))).toEqual(
      [],
    );
  });

  /** Floors, top to bottom. What else lies between them may carry an import from one to another, so ways are followed to their end. */
  it("no way leads up from one floor to another, by value or by type", () => {
    const floors = ["experiment", "evaluation", "patches", "define"];
    const roomOf = (file: string) => folderOf(file) || file;
    const below = new Map<string, Map<string, string>>();
    for (const { from, to } of imports.filter((edge) => /^src\/engine\/.*\.ts$/.test(edge.to) && edge.from.startsWith("src/engine/")))
      below.set(roomOf(from), (below.get(roomOf(from)) ?? new Map<string, string>()).set(roomOf(to), `${from} → ${to}`));
    const waysFrom = (start: string): Map<string, string> => {
      const ways = new Map([[start, start]]);
      for (const [room, way] of ways) // grows while it is walked
        for (const [next, edge] of below.get(room) ?? []) if (!ways.has(next)) ways.set(next, `${way}, ${edge}`);
      return ways;
    };
    const upward = floors.flatMap((floor, i) => floors.slice(0, i).flatMap((above) => waysFrom(floor).get(above) ?? []));
    expect(upward).toEqual([]);
    expect(floors.slice(1).map((floor) => waysFrom("experiment").has(floor))).toEqual([true, true, true]); // the names are those of rooms
  });

  it("takes randomness and time from its context", () => {
    const engine = sources.filter((file) => file.startsWith("src/engine/"));
    expect(engine.filter((file) => /\bMath\.random\b|\bDate\.now\b/.test(text(file)))).toEqual([]);
    expect(engine.filter((file) => /\bnew Date\(\)/.test(text(file)) && file !== "src/engine/io/runStore.ts")).toEqual([]);
  });
});

describe("size", () => {
  const lines = (file: string) => text(file).split("\n").length - 1;

  it("no file is longer than 350 lines", () => {
    expect(written.filter((file) => lines(file) > 350).map((file) => `${file}: ${lines(file)}`)).toEqual([]);
  });

  it("the median source file has at most 110 lines", () => {
    const sorted = sources.map(lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(110);
  });

  it("no function is longer than 60 lines", () => {
    const long: string[] = [];
    for (const [file, source] of parsed) {
      const line = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node) && "body" in node && node.body) {
          const first = line(node.getStart(source));
          const length = line(node.getEnd()) - first + 1;
          if (length > 60) long.push(`${file}:${first}: ${length} lines`);
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
    expect(long).toEqual([]);
  });
});

describe("package.json", () => {
  const { contributes, ...manifest } = JSON.parse(text("package.json"));

  it("contributes the commands, views and settings that the code knows", () => {
    expect(contributes.commands.map(({ command }: { command: string }) => command).sort()).toEqual(Object.values(commands).sort());
    const { container, ...trees } = views;
    expect(contributes.viewsContainers.activitybar.map(({ id }: { id: string }) => id)).toEqual([container]);
    expect(contributes.views[container].map(({ id }: { id: string }) => id).sort()).toEqual(Object.values(trees).sort());
    const contributed = [contributes.configuration].flat().flatMap((part: { properties: object }) => Object.keys(part.properties));
    expect(contributed.sort()).toEqual(Object.values(settings).sort());
    expect(contributes.languages.map(({ id }: { id: string }) => id)).toEqual([experimentLanguage]);
  });

  it("puts every command into the category Bulwark", () => {
    expect(contributes.commands.filter(({ category }: { category: string }) => category !== "Bulwark")).toEqual([]);
  });

  it("names only files that are there", () => {
    const named = JSON.stringify(contributes).match(/(?<=")\.?\/?media\/[^"]+/g) ?? [];
    expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it("has a lock file with the optional parts of every platform, without which npm ci refuses", () => {
    const { packages } = JSON.parse(text("package-lock.json"));
    const missing = Object.entries<{ optionalDependencies?: Record<string, string> }>(packages).flatMap(
      ([folder, { optionalDependencies }]) =>
        Object.keys(optionalDependencies ?? {}).filter(
          (name) => !packages[`node_modules/${name}`] && !packages[`${folder}/node_modules/${name}`],
        ),
    );
    expect(missing).toEqual([]);
  });

  it("pins every version", () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
  });
});

describe("the repository", () => {
  it("holds a fresh catalogue", () => {
    expect(JSON.parse(text("src/shared/catalog.generated.json"))).toEqual(JSON.parse(JSON.stringify(catalog())));
  });

  it("holds no way around the checks, no skipped test and no machine's own paths", () => {
    const forbidden =
      /\bas any\b|@ts-(ignore|nocheck|expect-error)|biome-ignore|\b(it|test|describe)\.(only|skip|todo)\b|\bTODO\b|\bFIXME\b/;
    const paths = /(?<![\w.\-/}])\/(root|home|work|Users)\/\w/;
    const own = (file: string) =>
      !/^(package-lock\.json|test\/architecture\.test\.ts|LICENSE)$/.test(file) && /\.(ts|mjs|json|jsonc|md|yml|css)$/.test(file);
    const files = tracked.filter(own);
    expect(files.filter((file) => forbidden.test(text(file)))).toEqual([]);
    expect(files.filter((file) => paths.test(text(file)))).toEqual([]);
  });

  it("keeps decision records short", () => {
    const records = tracked.filter((file) => /^docs\/adr\/\d{4}-.*\.md$/.test(file));
    expect(records.length).toBeGreaterThan(0);
    expect(records.filter((file) => text(file).trimEnd().split("\n").length > 40)).toEqual([]);
  });
});

describe("docs/ARCHITECTURE.md", () => {
  it("names every folder of src and webview in a line of its map, and none that is not there", () => {
    const map = text("docs/ARCHITECTURE.md").split("## Map")[1]?.split("\n## ")[0] ?? "";
    const named = [...map.matchAll(/^\| `([^`]+)\/` +\| \S/gm)].map(([, folder]) => folder as string);
    expect(named.length).toBeGreaterThan(0);
    expect([...named].sort()).toEqual([...new Set(sources.map((file) => path.posix.dirname(file)))].sort());
  });
});
