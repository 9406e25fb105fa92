// npm run bench: our engine and, where python3 has torch, PyTorch side by side, at 1 and 2 threads. NETS=cnn2d,… and REPEATS=n narrow it.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { bundle, root } from "./bundle.mjs";

const outfile = await bundle("measure");
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
  const ours = JSON.parse(execFileSync(process.execPath, [outfile, "onnxruntime", root], { ...quiet, env: environment }));
  const torch = withTorch && JSON.parse(execFileSync(withTorch, [path.join(root, "bench/baseline.py")], { ...quiet, env: environment }));
  console.log(
    `\n${ours.device}; MatMul ${(flops / ours.matmul.wall / 1e6).toFixed(0)} GFLOP/s (${(flops / ours.matmul.cpu / 1e6).toFixed(0)} per processor second)`,
  );
  console.log(
    torch
      ? `PyTorch ${torch.torch}, MatMul ${(flops / torch.matmul.wall / 1e6).toFixed(0)} GFLOP/s`
      : "PyTorch is not installed: only our own figures.",
  );
  console.log("net        task            wall ms   cpu ms   MatMul products   PyTorch wall   speed (wall)   speed (cpu)");
  for (const net of Object.keys(ours).filter((key) => ours[key].trainStep)) {
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
  for (const task of ["forward", "inputGradient"])
    if (ours.handwritten && ours.cnn2d)
      console.log(
        `cnn2d ${task}: ${(ours.cnn2d[task].wall / ours.handwritten[task].wall).toFixed(2)} times the hand-written ONNX graph's ${ours.handwritten[task].wall.toFixed(1)} ms`,
      );
  for (const [net, { outside }] of Object.entries(ours).filter(([, result]) => result.outside))
    console.log(
      `${net}: outside ONNX Runtime (recording, keying, tfjs) ${(100 * outside.inputGradient).toFixed(1)} % of an input gradient, ${(100 * outside.trainStep).toFixed(1)} % of a train step`,
    );
  if (ours.pgd) {
    const bare = torch?.papernot && ours.pgd.gradients * torch.papernot.inputGradient.wall;
    const peer = bare ? `; as many bare PyTorch input gradients: ${(bare / 1000).toFixed(1)} s` : "";
    console.log(
      `PGD-40, 500 MNIST images: ${(ours.pgd.wall / 1000).toFixed(1)} s for ${ours.pgd.gradients} gradients of 100${peer}; ${ours.pgd.survivors} survive`,
    );
  }
}
