// What is measured. A row is one piece of work that both sides do; `group` names the file of ours/ and theirs/ that does it, `goal` the
// least speed beside PyTorch on one and on more threads, `most` the milliseconds of processor time on one thread, `memory` the most resident
// memory as a multiple of PyTorch's.

const photographs = { resnet50: 224, vgg16: 224, inceptionV3: 299, efficientNetB0: 224, mobileNetV2: 224 };
const onPhotographs = Object.entries(photographs).flatMap(([net, side]) =>
  [1, 8].flatMap((batch) => [
    { name: `${net} gradient b${batch}`, group: "networks", task: "gradient", net, side, batch, goal: [1.3, 1.1], memory: 2 },
    { name: `${net} forward b${batch}`, group: "networks", task: "forward", net, side, batch, goal: [1.8, 1.1] },
  ]),
);

const small = [
  { net: "cnn2d", batch: 64, gradient: [1.25, 1.25] },
  { net: "papernot", batch: 100, gradient: [1.25, 1.25] },
  { net: "cnn3d", batch: 64, gradient: [1, 1] },
].flatMap(({ net, batch, gradient }) => [
  { name: `${net} gradient b${batch}`, group: "networks", task: "gradient", net, batch, goal: gradient },
  { name: `${net} forward b${batch}`, group: "networks", task: "forward", net, batch, goal: [1.5, 1.5] },
  { name: `${net} train sgd b${batch}`, group: "training", optimizer: "sgd", net, batch, goal: [1, 1] },
]);

// Convolutions in 32 groups.
const grouped = ["gradient", "forward"].map((task) => ({
  name: `resnext ${task} b1`,
  group: "networks",
  task,
  net: "resnext",
  batch: 1,
  goal: [1, 1],
}));

// 3-D: 4 slices of 14×14 of a digit, kernels 3 deep, as samples/paper0-mnist has them; 16 slices of 8×8 of a CIFAR image.
const training = [
  { net: "lenet", batch: 64 },
  { net: "resnet9", batch: 64 },
  { net: "lenet3d", batch: 64, micro: 8 },
  { net: "lenet3d", batch: 64 },
  { net: "resnet93d", batch: 16 },
].flatMap(({ net, batch, micro }) =>
  ["adam", "sgd"].map((optimizer) => ({
    name: `${net} train ${optimizer} b${batch}${micro ? ` micro${micro}` : ""}`,
    group: "training",
    optimizer,
    net,
    batch,
    ...(micro ? { micro } : {}),
    goal: [1, 1],
    memory: 1.5,
  })),
);

// Clean pass, attack, scores of what came of it, and scores after rounding to 8 bits, of 100 of the first 500 test images in turn.
const attacks = [
  { attack: "fgsm", goal: [1.1, 1.1] },
  { attack: "pgd", steps: 40, goal: [1.5, 1.3] },
].flatMap(({ attack, steps, goal }) =>
  ["foolbox", "art", "torchattacks"].map((peer) => ({
    name: `${attack}${steps ?? ""} papernot ${peer}`,
    group: "attacks",
    attack,
    peer,
    goal,
    ...(steps ? { steps } : {}),
  })),
);

// Beside a loop that goes back to the features alone, and one with hooks and backward() through all weights, as Grad-CAM is usually written.
const maps = [
  { loop: "features", goal: {} },
  { loop: "hooks", goal: { goal: [1.6, 1.6] } },
].flatMap(({ loop, goal }) => [
  { name: `gradcam papernot b100 ${loop}`, group: "searches", task: "gradcam", net: "papernot", side: 28, batch: 100, loop, ...goal },
  { name: `gradcam resnet50 b8 ${loop}`, group: "searches", task: "gradcam", net: "resnet50", side: 224, batch: 8, loop, ...goal },
]);

const others = [
  { name: "patch papernot b16", group: "patches", net: "papernot", side: 28, batch: 16, goal: [1, 1] },
  { name: "patch mobileNetV2 b16", group: "patches", net: "mobileNetV2", side: 224, batch: 16, goal: [1, 1] },
  {
    name: "npixel papernot",
    group: "searches",
    task: "npixel",
    net: "papernot",
    population: 400,
    generations: 2,
    images: 6,
    goal: [1.6, 1.6],
  },
  { name: "decode png 28x28", group: "decoding", kind: "digits", goal: [0.5, 0.5] },
  { name: "decode png 32x32", group: "decoding", kind: "thumbnails", goal: [0.5, 0.5] },
  { name: "decode jpeg 224x224", group: "decoding", kind: "photographs" },
  { name: "epoch png 32x32", group: "decoding", kind: "thumbnails", isLater: true },
  { name: "epoch jpeg 224x224", group: "decoding", kind: "photographs", isLater: true },
  { name: "matmul 1024", group: "networks", task: "matmul" },
];

// Milliseconds of processor time on one thread, for one image of 299×299×3: `most` is the goal.
const filters = [
  { defense: { kind: "localGradientSmoothing" }, most: 6 },
  { defense: { kind: "medianFilter" }, most: 10 },
  { defense: { kind: "gaussianFilter" }, most: 5 },
  { defense: { kind: "jpeg", quality: 30 }, most: 25 },
  { defense: { kind: "bitDepth", depth: 3 }, most: 1 },
  { defense: { kind: "bilateralFilter" } },
  { defense: { kind: "totalVariation", weight: 10 } },
  { name: "guo", defense: { kind: "totalVariation", variant: "guo" } },
  { name: "telea", defense: { kind: "digitalWatermark", mode: "nonBlind", mask: "20,30,42,42" } },
  { name: "harmonic", defense: { kind: "digitalWatermark", mode: "nonBlind", mask: "20,30,42,42", inpaint: "harmonic" } },
].map(({ name, ...row }) => ({ ...row, name: ["filter", row.defense.kind, name].filter(Boolean).join(" "), group: "filters" }));

export const rows = [...onPhotographs, ...small, ...grouped, ...training, ...attacks, ...maps, ...filters, ...others];
