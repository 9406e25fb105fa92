import { defineConfig } from "vitest/config";

/** Tests on a Vulkan device: one file at a time, since a software device takes every core. `npm test -- webgpu` finds one. */
export default defineConfig({
  test: { include: ["test/webgpu/**/*.test.ts"], pool: "forks", fileParallelism: false, testTimeout: 600_000, hookTimeout: 120_000 },
});
