// How far imported models can be trusted:
//   node bench/imports.mjs families FOLDER [NAME:OPSET:BATCH…]   torchvision's families against PyTorch: logits, input gradients, PGD images
//   node bench/imports.mjs probe MODEL DATASET RANGE [8,32,64]   the contract probe under every wrong contract, with so many pictures
//   node bench/imports.mjs accuracy MODEL DATASET [INPUT]        correct answers on all test images, under an input contract in JSON
//   node bench/imports.mjs speed FOLDER                          an imported ResNet-50 beside our builder's, called in turn
//   node bench/imports.mjs memory FILE…                          peak memory of opening a model and of a gradient; FOLDER/vgg11_bn.onnx is exported
//   node bench/imports.mjs operators FOLDER [NAME…]              ONNX' own tests of single operators, as in Debian's libonnx-testdata
// PYTHON names an interpreter with torch and torchvision.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const [what = "", ...words] = process.argv.slice(2);

const run = (command, args) => {
  const { stdout, status } = spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 2 ** 28 });
  if (status !== 0) process.exitCode = 1;
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
};
const ours = async (name, args) => run(process.execPath, [await bundle(`imports/${name}`), ...args]);
const python = process.env.PYTHON ?? "/usr/bin/python3";
const theirs = (args) => run(python, [path.join(here, "imports/families.py"), ...args]);

/** Every family once, the operator sets 9 to 17 on those whose operators every exporter has, and 18 to 22. */
const usual = [
  ..."alexnet vgg11_bn resnet18 resnet50 squeezenet densenet121 inception_v3 googlenet mobilenet_v2 mobilenet_v3 mnasnet efficientnet_b0 resnext50 regnet_x regnet_y shufflenet convnext vit swin"
    .split(" ")
    .map((name) => `${name}:13:dyn`),
  ...[9, 11, 15, 17].flatMap((opset) => ["resnet18", "mobilenet_v2", "squeezenet", "shufflenet"].map((name) => `${name}:${opset}:dyn`)),
  ...[
    "vit:17:dyn",
    "convnext:17:dyn",
    "swin:17:dyn",
    "mobilenet_v3:11:dyn",
    "resnet18:9:1",
    "resnet18:15:4",
    "vit:13:1",
    "shufflenet:13:1",
  ],
  ...["resnet18:18", "convnext:18", "swin:19", "mobilenet_v3:20", "vit:20", "googlenet:21", "densenet121:22", "efficientnet_b0:22"].map(
    (name) => `${name}:dyn`,
  ),
];
const shown = (value) => (typeof value === "number" ? value.toExponential(1) : value);

async function families([folder, ...given]) {
  mkdirSync(folder, { recursive: true });
  const cases = given.length > 0 ? given : usual;
  console.log(
    "file, logits and gradients at 1 and 2 pictures against 64 bits, torch's own in 32 bits, layers that move numbers, PGD images with torch's prediction",
  );
  for (const name of cases) {
    const [made] = theirs(["make", folder, name]);
    if (made?.error) console.log(`${name.padEnd(24)} not exported: ${made.error}`);
    if (!made || made.error) continue;
    const [found] = await ours("families", [path.join(folder, name.replaceAll(":", "-"))]);
    if (!found || found.error) console.log(`${name.padEnd(24)} ERROR ${found?.error}`);
    if (!found || found.error) continue;
    const [again] = theirs(["rescore", folder, name]);
    const { logits, gradient, torch32, moves, attacked } = found;
    const isWithin = Math.max(...logits) < 1e-4 && Math.max(...gradient) < 1e-3 && again?.same === again?.of;
    console.log(
      `${name.padEnd(24)} ${logits.map(shown).join(" ")} | ${gradient.map(shown).join(" ")} | ${shown(torch32.logits)} ${shown(torch32.gradient)} | ${moves} | ${again?.same} of ${again?.of}, ${attacked} changed${isWithin ? "" : " <- beyond"}`,
    );
    if (!isWithin) process.exitCode = 1;
  }
}

/** An exported network of photographs, made where it is not there. */
function large(folder, name) {
  const file = path.join(folder, `${name}.onnx`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) spawnSync(python, [path.join(here, "imports/families.py"), "large", folder, name], { stdio: "inherit" });
  return file;
}

const printed = async (name, args) => {
  const { status } = spawnSync(process.execPath, [await bundle(`imports/${name}`), ...args], { stdio: "inherit" });
  process.exitCode = status ?? 1;
};
const actions = {
  families,
  probe: (args) => printed("probe", args),
  accuracy: (args) => printed("accuracy", args),
  speed: ([folder]) => printed("speed", [large(folder, "resnet50")]),
  memory: async (files) => {
    for (const file of files)
      await printed("memory", [
        file.endsWith(".onnx") && !existsSync(file) ? large(path.dirname(file), path.basename(file, ".onnx")) : file,
      ]);
  },
  operators: (args) => printed("operators", args),
};
if (!(what in actions) || words.length === 0) {
  console.error(`usage: node bench/imports.mjs ${Object.keys(actions).join("|")} …`);
  process.exitCode = 3;
} else await actions[what](words);
