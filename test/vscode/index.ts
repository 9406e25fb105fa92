import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import Mocha from "mocha";

/**
 * Called by the extension host: resolves when every test passed. Writes what happened to the file named in BULWARK_TEST_RESULT, because
 * the exit code of a host that died says nothing.
 */
export async function run(): Promise<void> {
  const mocha = new Mocha({
    ui: "bdd",
    color: false,
    timeout: 60_000,
    ...(process.env["BULWARK_TEST_GREP"] ? { grep: process.env["BULWARK_TEST_GREP"] } : {}),
  });
  const suite = path.join(__dirname, "suite");
  for (const name of readdirSync(suite)) if (name.endsWith(".test.js")) mocha.addFile(path.join(suite, name));
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run((count) => {
      const file = process.env["BULWARK_TEST_RESULT"];
      if (file) writeFileSync(file, JSON.stringify({ failures: count, stats: runner.stats }));
      resolve(count);
    });
  });
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
