// What TensorFlow.js' own executor computes for the graph models of the tests, and the gradients that it gives:
//   npm install --prefix FOLDER @tensorflow/tfjs-converter@4.22.0 @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0
//   node bench/graphReference.mjs FOLDER
// writes test/unit/engine/importers/graphModel/reference.json.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "./bundle.mjs";

const [folder = "."] = process.argv.slice(2);
const tests = path.join(root, "test/unit/engine/importers/graphModel");
const bundled = path.join(root, "dist/bench-graphReference.mjs");
await build({
  stdin: {
    contents: `export * as tf from "@tensorflow/tfjs-core";
      import "@tensorflow/tfjs-core/dist/register_all_gradients";
      import "@tensorflow/tfjs-backend-cpu";
      export { loadGraphModel } from "@tensorflow/tfjs-converter";
      export * from ${JSON.stringify(path.join(tests, "cases.ts"))};
      export * from ${JSON.stringify(path.join(tests, "encoder.ts"))};`,
    resolveDir: path.resolve(folder),
  },
  bundle: true,
  platform: "node",
  format: "esm",
  mainFields: ["module", "main"],
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  outfile: bundled,
  logLevel: "error",
});
const { cases, factor, graphModel, imagesOf, loadGraphModel, tf } = await import(pathToFileURL(bundled));
await tf.setBackend("cpu");

const short = (values) => Array.from(values, (value) => Number(value.toPrecision(6)));
const results = {};
for (const one of cases) {
  const { modelTopology, specs, data } = graphModel(one);
  const weightData = new Uint8Array(data).buffer;
  const model = await loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs: specs, weightData }));
  const { shape, data: values } = imagesOf(one);
  const x = tf.tensor(Array.from(values), shape);
  try {
    const scores = model.execute({ x }, "scores");
    const weights = tf.tensor(
      Array.from({ length: scores.size }, (_, i) => factor(i)),
      scores.shape,
    );
    const gradient = one.isForwardOnly ? undefined : tf.grad((v) => tf.sum(tf.mul(model.execute({ x: v }, "scores"), weights)))(x);
    results[one.name] = { scores: short(scores.dataSync()), ...(gradient ? { gradient: short(gradient.dataSync()) } : {}) };
  } catch (error) {
    console.log(`${one.name}: ${error.message.split("\n")[0]}`);
  }
}
writeFileSync(path.join(tests, "reference.json"), `${JSON.stringify(results)}\n`);
console.log(`${Object.keys(results).length} of ${cases.length} cases`);
