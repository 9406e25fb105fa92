// node bench/lime.mjs: the time of LIME for a photograph beside as many plain passes, in turn. SAMPLES=n, REPEATS=n, NETS=small,efficientNetB0.
import { execFileSync } from "node:child_process";
import { bundle, root } from "./bundle.mjs";

const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
const { device, samples, repeats, rows } = JSON.parse(execFileSync(process.execPath, [await bundle("lime")], options));
console.log(`${device}; ${samples} samples, ${repeats} pairs; seconds, medians; ratios of wall and of processor time (goal 1.3)`);
for (const { name, superpixels, batch, passes, lime, wall, cpu } of rows) {
  const seconds = `passes ${(passes / 1000).toFixed(2)}, LIME ${(lime / 1000).toFixed(2)}`;
  console.log(
    `  ${name.padEnd(16)} ${seconds}, ${wall.toFixed(2)} / ${cpu.toFixed(2)}   (${superpixels} superpixels, batches of ${batch})`,
  );
}
