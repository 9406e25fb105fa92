import { defineConfig } from "vitest/config";

const tests = (...folders: string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`);
/** Tests that change the process they run in: they register entries, or change the backend or the numbering of layers. Each file has its own. */
const alone = [...tests("unit/backends", "unit/cli", "unit/engine/plugins", "conformance", "golden"), "test/unit/engine/*.test.ts"];

export default defineConfig({
  test: {
    env: { BULWARK_NO_READS_IN_GRADIENTS: "1" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    projects: [
      // One process for many files spares loading the engine anew for each. None of them mocks a module.
      {
        extends: true,
        test: { name: "together", include: [...tests("unit"), "test/architecture.test.ts"], exclude: alone, isolate: false },
      },
      { extends: true, test: { name: "alone", include: alone } },
    ],
  },
});
