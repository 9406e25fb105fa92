/** What a new experiment is about: a model and labelled data of the folder, paths relative to it, with forward slashes. */
export interface TemplateParts {
  /** `model.json`; undefined where the folder has none, then one is trained. */
  readonly model?: string | undefined;
  /** The model takes one channel. */
  readonly isGrayscale?: boolean;
  readonly data?: { readonly kind: string; readonly path: string } | undefined;
}

const heading = "// Hover over a key to see what it means. The lenses above run this file.\n";

/** Grayscale digits are attacked with 0.3 in the literature, photographs with 8/255. */
const attacksOf = (isDigits: boolean): string =>
  isDigits
    ? `[
    { "kind": "fgsm", "eps": 0.3 },
    { "kind": "pgd", "eps": 0.3, "steps": 40, "stepSize": 0.01 }
  ]`
    : `[
    { "kind": "fgsm", "eps": "8/255" },
    { "kind": "pgd", "eps": "8/255", "steps": 20, "stepSize": "2/255" }
  ]`;

const isDigitSet = (kind: string): boolean => /mnist/i.test(kind);

/**
 * An experiment file made of what the folder holds: its model on its data, else a network trained on its data, else the volumized
 * curriculum on MNIST.
 */
export function experimentTemplate({ model, isGrayscale = false, data }: TemplateParts): string {
  if (model === undefined && data === undefined) return defendedDigits;
  const { kind, path } = data ?? { kind: "mnist", path: "" };
  const where = path === "" ? "" : `, "path": ${JSON.stringify(path)}`;
  const attacks = attacksOf(isGrayscale || isDigitSet(kind));
  if (model !== undefined)
    return `${heading}{
  "seed": 1,
  "dataset": { "kind": "${kind}"${where}, "test": 200 },
  "model": { "file": ${JSON.stringify(model)} },
  "attacks": ${attacks},
  "explanations": [{ "kind": "gradCam", "samples": 4 }],
  // More arms on the same data with the same attacks.
  "compare": [{ "name": "behind a median filter", "defense": { "kind": "medianFilter" } }]
}
`;
  const size = kind === "imageFolder" ? ', "size": 64, "testShare": 0.2' : "";
  return `${heading}{
  "seed": 1,
  "dataset": { "kind": "${kind}"${where}${size}, "test": 200 },
  "model": { "kind": "${isDigitSet(kind) ? "lenet" : "resnet9"}" },
  "train": { "epochs": 5, "batchSize": 64, "optimizer": "adam", "learningRate": 0.001 },
  "attacks": ${attacks},
  "explanations": [{ "kind": "gradCam", "samples": 4 }],
  // More arms on the same data with the same attacks.
  "compare": [{ "name": "adversarial training", "defense": { "kind": "adversarialTraining" } }]
}
`;
}

const defendedDigits = `${heading}{
  "seed": 1,
  "dataset": { "kind": "mnist", "train": 6000, "test": 500 },
  "model": { "kind": "lenet" },
  "defense": { "kind": "volumizedCurriculum", "measure": "mutualInformation", "patch": 7 },
  "train": { "epochs": 3, "batchSize": 64, "optimizer": "adam", "learningRate": 0.001 },
  "attacks": ${attacksOf(true)},
  "explanations": [{ "kind": "gradCam", "samples": 4 }],
  // More arms on the same data with the same attacks.
  "compare": [{ "name": "undefended", "defense": { "kind": "standard" } }]
}
`;
