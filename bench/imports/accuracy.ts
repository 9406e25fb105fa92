// `node bench/imports.mjs accuracy MODEL DATASET [INPUT]`: of all test images of a data set, those that a model classifies correctly. INPUT is the
// "input" of a contract in JSON, such as '{"mean": 0, "scale": 1}'; else what lies beside the model counts.
import { useBackend } from "../../src/engine/backends/index.ts";
import { createContext } from "../../src/engine/context.ts";
import { openImages } from "../../src/engine/evaluation/source.ts";
import { loadNetwork } from "../../src/engine/importers/index.ts";
import { answersOf, passesOf } from "../../src/engine/probe/score.ts";
import { classifierOfLoaded } from "../../src/engine/session/openModel.ts";
import { inputRangeText } from "../../src/shared/contract.ts";

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [file = "", dataset = "", input] = process.argv.slice(2);
  const loaded = await loadNetwork(file, input === undefined ? undefined : { input: JSON.parse(input) });
  const model = classifierOfLoaded(loaded, file);
  const ctx = createContext();
  const { images, close } = await openImages({ files: [], dataset, split: "test", limit: null, workspace: "." }, model, file, ctx);
  const { logits, labels, classes } = await passesOf([model], images, ctx, () => undefined);
  const { hits } = answersOf(logits[0] as Float32Array, labels, classes);
  const right = hits.reduce((sum, hit) => sum + hit, 0);
  const apart = loaded.comparison?.difference;
  const compared = typeof apart === "number" ? `; ${apart.toExponential(1)} of the largest score from ONNX Runtime` : "";
  console.log(`${file}, ${inputRangeText(loaded.contract.input)}: ${right} of ${images.n}, ${(right / images.n).toFixed(3)}${compared}`);
  await close();
  process.exit(0); // readers of HDF5 keep their threads
}
void main();
