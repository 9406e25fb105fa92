import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/unit/**/*.test.ts", "test/conformance/**/*.test.ts", "test/golden/**/*.test.ts", "test/architecture.test.ts"],
    env: { BULWARK_NO_READS_IN_GRADIENTS: "1" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
