// node bench/compact.mjs: compact layers beside plain ones of the same size, in turn, by processor time. REPEATS=n, BATCH=n, BACKEND=onnxruntime
import { execFileSync } from "node:child_process";
import { bundle, root } from "./bundle.mjs";

const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
const { device, repeats, batch, rows } = JSON.parse(execFileSync(process.execPath, [await bundle("compact")], options));
console.log(
  `${device}; batches of ${batch}, ${repeats} pairs; processor time of the compact layer as a multiple of the plain one's (goal 1.35)`,
);
for (const { name, what, plain, compact, ratio } of rows) {
  const times = `${ratio.toFixed(2)}   (${plain.toFixed(2)} → ${compact.toFixed(2)} ms)`;
  console.log(`  ${name.padEnd(22)} ${what.padEnd(30)} ${times}`);
}
