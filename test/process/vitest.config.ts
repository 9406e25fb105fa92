import { defineConfig } from "vitest/config";

/** Tests of the real bundled engine and command line: two files at a time, since a process mostly uses one core. */
export default defineConfig({
  test: {
    include: ["test/process/**/*.test.ts"],
    env: { BULWARK_NO_READS_IN_GRADIENTS: "1" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
