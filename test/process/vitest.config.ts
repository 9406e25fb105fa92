import { defineConfig } from "vitest/config";

/** Tests of the real bundled engine and command line: one file at a time, since each starts processes of its own. */
export default defineConfig({
  test: { include: ["test/process/**/*.test.ts"], pool: "forks", fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000 },
});
