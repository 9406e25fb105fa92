import { defineConfig } from "vitest/config";

/** Tests in a real workbench in a real browser: one window at a time; the files share one packed extension, installed by the setup. */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/e2e/setup.ts"],
    pool: "forks",
    fileParallelism: false,
    maxConcurrency: 2, // pages side by side, in the tests that open pages alone
    bail: 0,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
