import { defineConfig } from "vitest/config";

/**
 * Tests that leave their process as they found it share one, which spares loading the engine anew for each file. None of them mocks a
 * module, registers an entry, or changes the backend or the numbering of layers for good.
 */
const together = [
  ...["extension", "language-server", "shared", "webview"],
  ...["analyses", "attacks", "attention", "classifier", "curriculum", "datasets", "defenses", "detectors", "evaluation", "experiment"].map(
    engine,
  ),
  ...["explanations", "harness", "importers", "io", "jobs", "losses", "measures", "metrics", "models", "patches", "probe", "report"].map(
    engine,
  ),
  ...["rules", "sampling", "superpixels", "training", "volumizer"].map(engine),
].map((folder) => `test/unit/${folder}/**/*.test.ts`);
function engine(name: string) {
  return `engine/${name}`;
}
const all = ["test/unit/**/*.test.ts", "test/conformance/**/*.test.ts", "test/golden/**/*.test.ts", "test/architecture.test.ts"];

export default defineConfig({
  test: {
    env: { BULWARK_NO_READS_IN_GRADIENTS: "1" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "together", include: together, isolate: false } },
      { extends: true, test: { name: "alone", include: all, exclude: together } },
    ],
  },
});
