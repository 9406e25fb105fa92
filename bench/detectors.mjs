// node bench/detectors.mjs: the solver of the probabilities for 1,024 rows, and the rate of R sampled passes beside plain ones, in turn.
// IMAGES=n, REPEATS=n, DETECTORS=varianceMinimization,…
import { execFileSync } from "node:child_process";
import { bundle, root } from "./bundle.mjs";

const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
const { device, images, runs, repeats, solver, rows } = JSON.parse(execFileSync(process.execPath, [await bundle("detectors")], options));
console.log("probabilities of 1,024 rows in milliseconds, median (fastest); goal 0.5");
for (const { c, median, fastest } of solver) console.log(`  ${`${c} draws`.padEnd(12)} ${median.toFixed(3)} (${fastest.toFixed(3)})`);
console.log(
  `${device}; ${images} images, ${runs} passes, ${repeats} pairs; share of the plain rate by wall and processor time (goal 80 %)`,
);
for (const { kind, wall, cpu, score, passes } of rows) {
  const times = `${(100 * wall).toFixed(0)} % / ${(100 * cpu).toFixed(0)} %   (${score.toFixed(0)} ms beside ${passes.toFixed(0)} ms)`;
  console.log(`  ${kind.padEnd(40)} ${times}`);
}
