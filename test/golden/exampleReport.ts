import type { AttackSummary, RunReport } from "../../src/shared/results.ts";

export const onePixelPng = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABc3UBGAAAAABJRU5ErkJggg==",
  "base64",
);

const none = { mean: null, max: null };
const summary = (id: string, params: Record<string, unknown>, correct: number): AttackSummary => ({
  n: 200,
  attack: { id, params },
  defense: { id: "standard", params: {} },
  backend: "cpu",
  seed: 7,
  clean: { accuracy: 0.98, correct: 196 },
  attacked: { accuracy: correct / 200, correct },
  successRate: (196 - correct) / 196,
  defenseSuccess: correct / 196,
  robustness: 0.98 - correct / 200,
  norms: { linf: { mean: 0.3, max: 0.3 }, l2: none, l0: none },
  seconds: 12.5,
  gradientEvaluations: 8000,
  forwardEvaluations: 8200,
  imagesPerSecond: 16,
  findings: [],
});

export const exampleReport: RunReport = {
  run: "20260314-150926-example",
  experiment: {
    name: "A <b> & B",
    seed: 7,
    environment: { version: "0.1.0", backend: "cpu", device: "JavaScript" },
  },
  arms: [
    {
      name: "undefended",
      defense: { id: "standard", params: {} },
      model: { id: "lenet", params: {} },
      clean: { accuracy: 0.98, correct: 196, n: 200 },
      certificate: { unavailable: "the network judges the image as a whole" },
      training: { epochs: 2, seconds: 61, imagesPerSecond: 236, reused: false, images: 7200 },
      attacks: [summary("fgsm", { eps: 8 / 255 }, 123), summary("pgd", { eps: 0.3, steps: 40 }, 0)],
      detectors: [],
      explanations: [
        {
          id: "gradCam",
          params: {},
          layer: "conv2",
          samples: [
            {
              index: 3,
              label: 7,
              attack: "pgd",
              clean: { image: "images/a.png", attention: "images/b.png", prediction: 7 },
              adversarial: { image: "images/c.png", attention: "images/d.png", prediction: 2 },
              iou: 0.25,
            },
          ],
        },
      ],
      analyses: [],
      timing: { forwardMilliseconds: 1.234, batchSize: 1 },
    },
    {
      name: "volumized",
      defense: { id: "volumizedCurriculum", params: { patch: 7 } },
      model: { id: "lenet", params: {} },
      clean: { accuracy: 0.98, correct: 196, n: 200 },
      training: null,
      attacks: [
        {
          ...summary("pgd", { eps: 0.3, steps: 40 }, 50),
          mode: "adaptive",
          how: "BPDA through bit depth 3",
          defenseSuccessOfFooled: 0.25,
          static: {
            source: "undefended",
            n: 200,
            clean: { accuracy: 0.98, correct: 196 },
            attacked: { accuracy: 0.9, correct: 180 },
            successRate: 16 / 196,
            defenseSuccess: 180 / 196,
            defenseSuccessOfFooled: 0.9,
            robustness: 0.08,
            control: { arm: "second undefended network", attacked: { accuracy: 0.88, correct: 176 }, defenseSuccessOfFooled: 0.87 },
          },
        },
      ],
      certificate: {
        n: 200,
        slices: [
          { slices: 1, correct: 45 },
          { slices: 2, correct: 10 },
          { slices: 32, correct: null },
        ],
        patches: [{ side: 5, touches: 4, correct: 3 }],
        images: Array.from({ length: 200 }, (_, i) => (i < 10 ? 2 : i < 45 ? 1 : 0)),
      },
      worst: { accuracy: 0.24, correct: 48, n: 200, interval: [0.1861, 0.3036], attacks: ["pgd", "pgd-static"] },
      detectors: [],
      explanations: [],
      analyses: [],
      timing: { forwardMilliseconds: 2.5, p95Milliseconds: 3, networkMilliseconds: 2, networkP95Milliseconds: 2.25, batchSize: 1 },
    },
  ],
  analyses: [
    {
      id: "robustnessCurve",
      params: {},
      title: "nPixel over <pixels>",
      charts: [
        {
          title: "Accuracy under nPixel",
          x: { label: "pixels", format: "number" },
          y: { label: "accuracy", format: "percent", range: [0, 1] },
          series: [
            {
              label: "volumized",
              colour: 1,
              points: [
                { x: 1, y: 0.9, low: 0.85, high: 0.94 },
                { x: 4, y: 0.5, low: 0.43, high: 0.57 },
              ],
            },
            { label: "volumized, static", colour: 1, isDashed: true, points: [{ x: 1, y: 0.95 }] },
            { label: "not measured", colour: 2, points: [{ x: 1, y: null }] },
          ],
        },
      ],
      tables: [
        {
          title: "In figures",
          columns: [
            { name: "arm", format: "text" },
            { name: "attacked", format: "percent" },
            { name: "δ", format: "points" },
            { name: "difference", format: "difference" },
            { name: "median", format: "milliseconds" },
            { name: "remark", format: "text" },
          ],
          rows: [
            ["volumized", 0.5, 0.48, 0.123, 2.5, "A remark, with a comma, that is too long to stand on one line"],
            ["undefended", null, -0.01, -0.02, null, null],
          ],
        },
      ],
      notes: ["Bands are 95 % intervals."],
    },
  ],
  findings: [
    {
      rule: "RB501",
      severity: "warning",
      message: "2 of 73 images attacked with success are classified correctly again after rounding to 8 bits.",
      fix: 'Use the float images of adversarial.npz, or a larger "eps".',
      arm: "undefended",
      attack: "fgsm",
      attackKey: "fgsm",
    },
    {
      rule: "RB008",
      severity: "warning",
      message:
        "The defence withstands only an attack that does not know it: accuracy is 90.0 % on images made against the undefended model (which has 0.0 % on them) and 25.0 % when PGD-40, ε 0.3 is made against the defence.",
      fix: "Report the adaptive figure; the static one only shows that the images transfer poorly.",
      arm: "volumized",
      attack: "pgd",
      attackKey: "pgd",
    },
  ],
  expect: [{ metric: "attacked.accuracy", attack: "pgd", min: 0.4, value: 0, met: false }],
  finishedAt: "2026-03-14T15:10:27.000Z",
};

export const exampleHistory = [1.5, 0.5, 0.25].map((trainLoss, i) => ({
  t: i,
  kind: "epoch",
  arm: "undefended",
  epoch: i + 1,
  epochs: 3,
  trainLoss,
}));
