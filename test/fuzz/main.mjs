// `npm run fuzz -- --n 10000 --seed 2 --only "onnx,images" --from 0`: damaged inputs of every kind, or of some.
import { parseArgs } from "node:util";
import { fuzz } from "./supervise.mjs";

const text = { type: "string" };
const { values } = parseArgs({ options: { n: text, seed: text, only: text, from: text } });
const number = (name, otherwise) => {
  const value = Number(values[name] ?? otherwise);
  if (Number.isInteger(value) && value >= 0) return value;
  console.error(`--${name} is a whole number.`);
  process.exit(2);
};
const { passed, failed } = await fuzz({
  n: number("n", 2000),
  seed: number("seed", 1),
  from: number("from", 0),
  kinds: values.only ?? "all",
});
process.exit(failed > 0 || passed === 0 ? 1 : 0);
