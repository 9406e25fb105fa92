// node bench/defenses.mjs: what a step of each training defence costs, its attack apart, beside a step of plain training. NETS=lenet and
// REPEATS=n narrow it.
import { execFileSync } from "node:child_process";
import { bundle } from "./bundle.mjs";

const { device, rows } = JSON.parse(
  execFileSync(process.execPath, [await bundle("defenses")], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
console.log(`${device}; medians of milliseconds of processor time, and of ratios within a round`);
for (const { model, batch, crafting, arms } of rows) {
  console.log(
    `\n${model}, ${batch} images; PGD-10 takes ${median(crafting).toFixed(0)}; step, beside a plain step, with PGD-10 beside adversarialTraining`,
  );
  const [plain, adversarial] = arms;
  for (const { name, times } of arms) {
    const beside = median(times.map((time, i) => time / plain.times[i]));
    const whole = median(times.map((time, i) => (crafting[i] + time) / (crafting[i] + adversarial.times[i])));
    const figures = [median(times).toFixed(0), beside.toFixed(2), whole.toFixed(2)];
    console.log(`  ${name.padEnd(52)} ${figures.map((text) => text.padStart(7)).join(" ")}`);
  }
}
