// npm run bench: our engine and, where python3 has torch, PyTorch side by side, at 1 and 2 threads. NETS=cnn2d,… and REPEATS=n narrow it.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const outfile = path.join(here, "../dist/bench.cjs");
await build({
  entryPoints: [path.join(here, "measure.ts")],
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  outfile,
  mainFields: ["module", "main"],
  external: ["onnxruntime-node", "onnxruntime-node/*"],
  logLevel: "error",
});

const quiet = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
const withTorch = [process.env.PYTHON, "python3", "/usr/bin/python3"].find((python) => {
  try {
    return python && execFileSync(python, ["-c", "import torch"], quiet) === "";
  } catch {
    return false;
  }
});
const tasks = ["forward", "inputGradient", "trainStep"];
// The same product of 1024×1024 matrices on both sides: what the machine could do at best.
const flops = 2 * 1024 ** 3;

for (const threads of [1, 2]) {
  const n = String(threads);
  // torch.set_num_threads does not reach every BLAS it may have been built with.
  const environment = { ...process.env, BULWARK_THREADS: n, THREADS: n, OMP_NUM_THREADS: n, OPENBLAS_NUM_THREADS: n };
  const ours = JSON.parse(execFileSync(process.execPath, [outfile], { ...quiet, env: environment }));
  const torch = withTorch && JSON.parse(execFileSync(withTorch, [path.join(here, "baseline.py")], { ...quiet, env: environment }));
  console.log(
    `\n${ours.device}; MatMul ${(flops / ours.matmul.wall / 1e6).toFixed(0)} GFLOP/s (${(flops / ours.matmul.cpu / 1e6).toFixed(0)} per processor second)`,
  );
  console.log(
    torch
      ? `PyTorch ${torch.torch}, MatMul ${(flops / torch.matmul.wall / 1e6).toFixed(0)} GFLOP/s`
      : "PyTorch is not installed: only our own figures.",
  );
  console.log("net        task            wall ms   cpu ms   MatMul products   PyTorch wall   speed (wall)   speed (cpu)");
  for (const net of Object.keys(ours).filter((key) => ours[key].forward)) {
    for (const task of tasks) {
      const { wall, cpu } = ours[net][task];
      const peer = torch?.[net]?.[task];
      const cells = [
        net.padEnd(10),
        task.padEnd(14),
        wall.toFixed(1).padStart(8),
        cpu.toFixed(1).padStart(8),
        (wall / ours.matmul.wall).toFixed(1).padStart(17),
        (peer ? peer.wall.toFixed(1) : "–").padStart(14),
        (peer ? `${(peer.wall / wall).toFixed(2)}×` : "–").padStart(14),
        (peer ? `${(peer.cpu / cpu).toFixed(2)}×` : "–").padStart(13),
      ];
      console.log(cells.join(" "));
    }
  }
}
