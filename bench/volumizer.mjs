// node bench/volumizer.mjs: what the volumizer costs beside the network behind it. NETS=papernot,resnet9:3 and REPEATS=n narrow it.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const measure = async (name) => {
  const outfile = path.join(here, `../dist/bench-${name}.cjs`);
  await build({
    entryPoints: [path.join(here, `${name}.ts`)],
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    outfile,
    mainFields: ["module", "main"],
    external: ["onnxruntime-node", "onnxruntime-node/*"],
    logLevel: "error",
  });
  return JSON.parse(execFileSync(process.execPath, [outfile], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
};

const { device, batch, rows } = await measure("volumizer");
console.log(`${device}; batch ${batch}; milliseconds of wall time, median`);
for (const { model, patch, Z, kernelDepth, ms } of rows) {
  console.log(`\n${model}, patch ${patch} (${Z} slices), kernel depth ${kernelDepth}: forward ${ms.forward.toFixed(1)}`);
  for (const [id, time] of Object.entries(ms)) {
    if (id !== "forward")
      console.log(`  ${id.padEnd(18)} ${time.toFixed(2).padStart(8)} ${((100 * time) / ms.forward).toFixed(1).padStart(7)} %`);
  }
}
