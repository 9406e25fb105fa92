// `node scripts/samples.mjs RUN digits|photos`: the network of a run as a sample of the extension, media/samples/<name>/model, with weights in
// half precision. The runs are those of media/samples/*.bulwark.jsonc.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const [run, name] = process.argv.slice(2);
if (!run || !["digits", "photos"].includes(name)) throw new Error("node scripts/samples.mjs RUN digits|photos");
const from = path.join(run, "model");
const to = path.join(root, "media/samples", name, "model");

/** Bits of the half-precision number next to a float; a tie goes to the even one. Weights of networks are far from its largest, 65504. */
function half(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (!(size < 65504)) throw new Error(`${value} does not fit into half precision`);
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-9)));
  const unit = 2 ** (exponent - 10);
  const floor = Math.floor(size / unit);
  const rest = size / unit - floor;
  const units = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // `units` has the leading one of normal numbers: adding the exponent carries where rounding reached the next power of two.
  return sign | (units + (exponent + 14) * 1024);
}

const model = JSON.parse(readFileSync(path.join(from, "model.json"), "utf8"));
const bytes = readFileSync(path.join(from, "weights.bin"));
const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
for (const { weights } of model.weightsManifest)
  for (const spec of weights) {
    if (spec.dtype !== "float32" || spec.quantization) throw new Error(`${spec.name} is not a plain float32 weight`);
    spec.quantization = { dtype: "float16", original_dtype: "float32" };
  }
mkdirSync(to, { recursive: true });
writeFileSync(path.join(to, "model.json"), JSON.stringify(model));
writeFileSync(path.join(to, "weights.bin"), Buffer.from(Uint16Array.from(floats, half).buffer));
copyFileSync(path.join(from, "model.bulwark.json"), path.join(to, "model.bulwark.json"));
