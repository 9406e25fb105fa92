import type { ParseArgsConfig } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;
export interface Verb {
  readonly usage: string;
  readonly does: string;
  /** Words without a dash; those in brackets may be left out. */
  readonly operands: readonly string[];
  readonly options: Options;
}

/** What every verb takes. */
export const commonOptions = {
  json: { type: "boolean" },
  backend: { type: "string" },
  device: { type: "string" },
  seed: { type: "string" },
  out: { type: "string" },
  force: { type: "boolean" },
  quiet: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies Options;
export const commonHelp: readonly (readonly [string, string])[] = [
  ["--json", "print exactly one JSON document on stdout"],
  ["--backend NAME", "auto, onnxruntime, tensorflow, wasm or cpu"],
  ["--device NAME", "auto, cpu, webgpu, cuda, directml or coreml; `bulwark doctor` says which there are"],
  ["--seed N", "seed of everything random (1)"],
  ["--out DIR", "folder for the results (.bulwark/runs/<run>)"],
  ["--force", "replace what --out holds; take over a run from a machine that is silent"],
  ["--quiet", "no progress"],
  ["--help", "this text"],
];

const text = { type: "string" } as const;
const many = { type: "string", multiple: true } as const;
/** A list of defences, each followed by its own settings. */
const inFront = { defense: many, "defense-set": many } as const;
const images = { image: many, dataset: text, "dataset-set": many, split: text, limit: text } as const;
/** What the images show, or that nothing says it. */
const labels = { label: text, "no-label": { type: "boolean" } } as const satisfies Options;
/** Whether `--image` may name several. */
export const takesImages = (options: Options): boolean => options["image"]?.multiple === true;
export const imagesHelp = "`--image` takes one picture or several: `--image a.png b.png`, `--image *.png`.";
/** Whether a verb asks what the images show. */
const takesLabel = (options: Options): boolean => "no-label" in options;
const labelHelp = [
  "What a picture shows is `--label`, else what its class folder, label file or annotation says; without any, or with `--no-label`, the",
  "model's own prediction stands for it. `--no-label` leaves out the labels of a data set too, such as classes that the model does not have.",
];
const fitHelp = ["`--fit` is cover (as ImageNet evaluation does), contain, fill, crop or none."];
const verb = (usage: string, does: string, operands: readonly string[] = [], options: Options = {}): Verb => ({
  usage: `bulwark ${usage}`,
  does,
  operands,
  options: { ...commonOptions, ...options },
});

export const verbs = {
  list: verb(
    "list [kind]",
    "what there is to choose from, with its parameters; kinds: attack, defense, detector, explanation, measure, analysis, model, dataset",
    ["[kind]"],
  ),
  fetch: verb("fetch mnist|cifar10", "bring a data set, checked against the official checksums", ["mnist|cifar10"]),
  doctor: verb("doctor", "what was found on this machine, and what is used"),
  inspect: verb("inspect MODEL [--contract FILE]", "layers, shapes and weights of a model file", ["MODEL"], { contract: text }),
  probe: verb(
    "probe MODEL --dataset D [--dataset-set k=v]… [--split test] [--limit 64] [--write] [--contract FILE]",
    "how a model takes its images: tries the input ranges, channel orders, fits and orders of labels in use on labelled pictures, and says which one is right or that it cannot tell",
    ["MODEL"],
    { dataset: text, "dataset-set": many, split: text, limit: text, write: { type: "boolean" }, contract: text },
  ),
  "check-plugin": verb(
    "check-plugin FILE [--set k=v]…",
    "try the attacks, defences and data sets of a plugin as Bulwark's own are tried; --set gives a data set its parameters",
    ["FILE"],
    { set: many },
  ),
  run: verb("run EXPERIMENT", "train if needed, attack, explain, report", ["EXPERIMENT"]),
  train: verb("train EXPERIMENT", "only train the arms of an experiment", ["EXPERIMENT"]),
  evaluate: verb("evaluate EXPERIMENT [--model DIR]", "only attack and explain, with models trained before", ["EXPERIMENT"], {
    model: text,
  }),
  resume: verb("resume RUN", "go on with an interrupted run", ["RUN"]),
  cancel: verb("cancel RUN", "ask the process that works on a run to stop after its step", ["RUN"]),
  attack: verb(
    "attack --model M (--image F… [--label NAME|INDEX] [--fit RULE] | --dataset D [--dataset-set k=v]… [--split test] [--limit N]) [--no-label] --attack ID [--set k=v]… [--defense ID [--defense-set k=v]…]… [--contract FILE] [--adaptive | --static [--surrogate M]]",
    "one attack on pictures or a data set",
    [],
    {
      model: text,
      ...images,
      ...labels,
      fit: text,
      attack: text,
      set: many,
      ...inFront,
      contract: text,
      adaptive: { type: "boolean" },
      static: { type: "boolean" },
      surrogate: text,
    },
  ),
  predict: verb(
    "predict --model M (--image F… [--label NAME|INDEX] | --dataset D [--dataset-set k=v]… [--split test] [--limit N]) [--no-label] [--gradient] [--defense ID [--defense-set k=v]…]… [--contract FILE]",
    "logits of a model, and the gradient of its loss at each image",
    [],
    { model: text, ...images, ...labels, ...inFront, contract: text, gradient: { type: "boolean" } },
  ),
  defend: verb(
    "defend (--image F… | --dataset D [--dataset-set k=v]… [--split test] [--limit N]) --defense ID [--defense-set k=v]… [--model M [--contract FILE]]",
    "what a defence in front of a model makes of pictures, and how long it takes",
    [],
    { model: text, ...images, ...inFront, contract: text },
  ),
  detect: verb(
    "detect --model M (--image F… [--label NAME|INDEX] | --dataset D [--dataset-set k=v]… [--split test] [--limit N]) [--no-label] --detector ID [--set k=v]… [--defense ID [--defense-set k=v]…]… [--contract FILE]",
    "a detector's scores, without any attack",
    [],
    { model: text, ...images, ...labels, ...inFront, contract: text, detector: text, set: many },
  ),
  explain: verb("explain --model M --image F --method ID [--set k=v]… [--contract FILE]", "what the model looks at in a picture", [], {
    model: text,
    image: text,
    method: text,
    set: many,
    contract: text,
  }),
  rank: verb(
    "rank --image F --patch P [--stride S] [--measure ID] [--set k=v]… [--order asc|desc] [--reference mostSalient|minEntropy|N]",
    "cut a picture into slices and order them",
    [],
    { image: text, patch: text, stride: text, measure: text, order: text, reference: text, set: many, remainder: text },
  ),
  patch: verb(
    "patch apply|preview|map|export PATCH [--model M [--contract FILE]] [--image F…] [--row R --column C --rotation D --scale S] [--stride N] [--cm L --dpi N --file F]",
    "paste a trained patch or a sticker, map what it does by its place, or export it for print",
    ["apply|preview|map|export", "PATCH"],
    {
      model: text,
      contract: text,
      ...images,
      label: text,
      area: text,
      target: text,
      row: text,
      column: text,
      rotation: text,
      scale: text,
      count: text,
      stride: text,
      cm: text,
      dpi: text,
      upscaling: text,
      background: text,
      file: text,
    },
  ),
  report: verb("report RUN [--format html|md|csv|json]", "render the report of a finished run", ["RUN"], { format: text }),
} as const satisfies Record<string, Verb>;
export type VerbName = keyof typeof verbs;
export const isVerb = (word: string): word is VerbName => Object.hasOwn(verbs, word);

const line = (left: string, right: string): string => `  ${left.padEnd(16)} ${right}`;

export function generalHelp(): string {
  return [
    "Bulwark inspects how robust an image classifier is.",
    "",
    "usage: bulwark VERB …",
    "",
    ...Object.entries(verbs).map(([name, { does }]) => line(name, does)),
    "",
    "Everywhere:",
    ...commonHelp.map(([left, right]) => line(left, right)),
    "",
    "Exit codes: 0 done, 1 a bug, 2 an expectation of the experiment not met, 3 bad input, 130 cancelled.",
    "`bulwark VERB --help` says more.",
    "",
  ].join("\n");
}

export function verbHelp(name: VerbName): string {
  const { usage, does, options } = verbs[name];
  const about = [
    ...(takesImages(options) ? [imagesHelp] : []),
    ...(takesLabel(options) ? labelHelp : []),
    ...("fit" in options ? fitHelp : []),
  ];
  const more = about.length > 0 ? [...about, ""] : [];
  return [`usage: ${usage}`, "", `${does}.`, "", ...more, ...commonHelp.map(([left, right]) => line(left, right)), ""].join("\n");
}
