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
  const errors: string[] = []; // the host may end before what the reporter prints at the end has arrived
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run((count) => {
      const file = process.env["BULWARK_TEST_RESULT"];
      if (file) writeFileSync(file, JSON.stringify({ failures: count, stats: runner.stats, errors }));
      resolve(count);
    });
    runner.on("fail", (test, error: Error) => errors.push(`${test.fullTitle()}: ${error.stack ?? error.message}`));
  });
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
