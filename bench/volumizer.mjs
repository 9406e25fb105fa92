// node bench/volumizer.mjs [volumizer|npixel]: what the volumizer costs beside the network behind it, and candidates a second of the
// N-pixel attack beside plain batches. NETS=papernot,resnet9:3 (kernel depth), CASES=0,3 (of npixel) and REPEATS=n narrow it.
import { execFileSync } from "node:child_process";
import { bundle } from "./bundle.mjs";

const measure = async (name) =>
  JSON.parse(execFileSync(process.execPath, [await bundle(name)], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
const percent = (share) => `${(100 * share).toFixed(1)} %`.padStart(8);

async function volumizer() {
  const { device, batch, rows } = await measure("volumizer");
  console.log(`${device}; batch ${batch}; milliseconds of wall time and of processor time, fastest; shares of the forward pass`);
  for (const { model, patch, Z, kernelDepth, forward, measures } of rows) {
    console.log(
      `\n${model}, patch ${patch} (${Z} slices), kernel depth ${kernelDepth}: forward ${forward.wall.toFixed(1)}, cpu ${forward.cpu.toFixed(1)}`,
    );
    for (const [id, { wall, cpu }] of Object.entries(measures)) {
      const shares = `${percent(wall / forward.wall)} ${percent(cpu / forward.cpu)}`;
      console.log(`  ${id.padEnd(18)} ${wall.toFixed(2).padStart(8)} ${cpu.toFixed(2).padStart(8)} ${shares}`);
    }
  }
}

async function npixel() {
  const { device, images, rows } = await measure("npixel");
  console.log(`\n${device}; ${images} images under attack; candidates and images a second, median; ratio of wall and processor time`);
  for (const { name, batch, shapes, attack, forward, ratio } of rows) {
    const rates = `${attack.toFixed(0).padStart(7)} of ${forward.toFixed(0).padStart(7)} (batch ${batch}) ${percent(ratio.wall)} ${percent(ratio.cpu)}`;
    console.log(`  ${name.padEnd(58)} ${rates}   batches seen: ${shapes.join(", ")}`);
  }
}

const wanted = process.argv.slice(2);
if (wanted.length === 0 || wanted.includes("volumizer")) await volumizer();
if (wanted.length === 0 || wanted.includes("npixel")) await npixel();
