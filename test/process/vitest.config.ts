import { defineConfig } from "vitest/config";

/** Tests of the real bundled engine and command line: one file at a time, since each starts processes of its own. */
export default defineConfig({
  test: {
    include: ["test/process/**/*.test.ts"],
    env: { BULWARK_NO_READS_IN_GRADIENTS: "1" },
    pool: "forks",
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
