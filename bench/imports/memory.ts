// `node bench/imports.mjs memory FILE…`: peak resident memory of one process beside the size of a model's file: once the engine runs, once the model
// is open and has been compared with ONNX Runtime, after a forward pass, and after a gradient with respect to one image.
import { statSync } from "node:fs";
import { useBackend } from "../../src/engine/backends/index.ts";
import { crossEntropy } from "../../src/engine/losses/crossEntropy.ts";
import { openModel } from "../../src/engine/session/openModel.ts";
import { type Images, type Labels, tf } from "../../src/engine/tf.ts";

const peak = (): number => process.resourceUsage().maxRSS / 1024;

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [file = ""] = process.argv.slice(2);
  const size = statSync(file).size / 2 ** 20;
  const tell = (what: string, before: number): void =>
    console.log(`  ${what.padEnd(9)} ${peak().toFixed(0)} MB, ${((peak() - before) / size).toFixed(2)} times the file above the start`);
  console.log(`${file.split("/").at(-1)}: ${size.toFixed(0)} MB`);
  const start = peak();
  tell("start", start);
  const used = process.cpuUsage();
  const { classifier } = await openModel(file);
  tell("open", start);
  const { user, system } = process.cpuUsage(used);
  console.log(`  opened in ${((user + system) / 1e6).toFixed(1)} s of processor time`);
  const x: Images = tf.randomUniform([1, ...classifier.inputShape]);
  const labels: Labels = tf.tensor1d([0], "int32");
  tf.tidy(() => void classifier.logits(x).dataSync());
  tell("forward", start);
  tf.tidy(
    () =>
      void tf
        .grad((v) => crossEntropy(classifier.logits(v as Images), labels, "sum"))(x)
        .dataSync(),
  );
  tell("gradient", start);
  process.exit(0); // readers of HDF5 keep their threads
}
void main();
