import { defineConfig } from "vitest/config";

/** Tests that leave their process as they found it share one, which spares loading the engine anew for each file. None of them mocks a module. */
const together = [
  ...["extension", "language-server", "shared", "webview"],
  ...["attacks", "datasets", "io", "measures", "metrics", "report", "sampling", "superpixels"].map((name) => `engine/${name}`),
].map((name) => `test/unit/${name}/**/*.test.ts`);
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
