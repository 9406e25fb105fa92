// `npm run check`: types per folder (so that the engine cannot see vscode or the DOM), lint and format. `--fix` lets Biome write.
import { spawnSync } from "node:child_process";

const projects = ["src/shared", "src/engine", "src/cli", "src/language-server", "src/extension", "webview", "test", "bench"];
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("-"));
let failed = false;
const run = (...words) => {
  if (spawnSync("npx", ["--no-install", ...words], { stdio: "inherit" }).status !== 0) failed = true;
};
for (const project of wanted.length ? wanted : projects) {
  console.log(`types: ${project}`);
  run("tsc", "-p", project);
}
run("biome", "check", ...(process.argv.includes("--fix") ? ["--write"] : []), "--error-on-warnings", ...(wanted.length ? wanted : ["."]));
process.exit(failed ? 1 : 0);
