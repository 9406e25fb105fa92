import "../engine/backends/cpu.ts";
import { type ParameterCounts, parameterCounts, sliceSide } from "../engine/models/parameterCounts.ts";
import { find, models } from "../engine/registry.ts";

/** Table 2 of Ghebrechristos & Alaghband 2024: parameters of each network in 2-D and of its 3-D counterpart. */
const table2 = [
  ["vgg16", 143_357_544, 183_021_512],
  ["vgg19", 143_357_544, 183_021_512],
  ["resnet50", 25_636_712, 74_203_245],
  ["inceptionV3", 23_851_784, 68_104_050],
  ["efficientNetB0", 5_330_564, 15_900_000],
] as const;
const depths = [4, 16, 64] as const;
const imageNetSide = 200; // models whose own images are larger than this have its 1000 classes, the others 10

const number = (n: number | null): string => (n === null ? "–" : n.toLocaleString("en"));
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(row)].join("\n");

const deep = (counts: ParameterCounts, depth: number, kernelDepth: number): number | null => {
  const shallow = counts.sliced.get(depth) ?? null;
  return shallow === null ? null : shallow + (kernelDepth - 1) * counts.kernels;
};

const classesOf = (side: number): number => (side > imageNetSide ? 1000 : 10);
const countsOf = (id: string, depthwise: "grouped" | "dense" = "grouped"): ParameterCounts => {
  const spec = find("model", id);
  return parameterCounts(spec, { inputShape: spec.inputShape, classes: classesOf(spec.inputShape[0]) }, depths, { depthwise });
};

/** `docs/reference/parameters.md`: what the networks weigh, beside the figures of paper 0. */
export function parametersPage(): string {
  const counts = new Map(models.map(({ id }) => [id, countsOf(id)]));
  const own = models.map(({ id, inputShape }) => {
    const of = counts.get(id) as ParameterCounts;
    const [side, , channels] = inputShape;
    const three = depths.map((depth) => number(deep(of, depth, 3)));
    const all = depths.map((depth) => number(deep(of, depth, depth)));
    return [`\`${id}\``, `${side}×${side}×${channels}, ${classesOf(side)}`, number(of.flat), ...three, ...all];
  });
  const compared = table2.map(([id, flat, volumized]) => {
    const of = counts.get(id) as ParameterCounts;
    const grown = of.flat + 2 * of.kernels;
    const implied = 1 + (volumized - of.flat) / of.kernels;
    return [
      `\`${id}\``,
      number(flat),
      signed(of.flat - flat),
      number(volumized),
      number(grown),
      signed(grown - volumized),
      implied.toFixed(2),
    ];
  });
  const heads = (text: string) => depths.map((depth) => `${text}, ${depth} slices`);
  return `# Parameters in 2-D and 3-D

Counts of all weights, running means and variances of batch normalisation included. An image of side s is cut into n slices of side
⌈s/√n⌉: ${depths.map((depth) => `${depth} of ${sliceSide(224, depth)}`).join(", ")} for 224. A dash: a slice is smaller than the first kernel.

${table(["model", "image, classes", "2-D", ...heads("depth 3"), ...heads("as deep as the slices")], own)}

A k×k kernel of depth d has d times the weights; nothing else grows. Dense layers are shared by the slices and see one of them: behind
a \`Flatten\` they get smaller with the slice, which is why VGG can have fewer parameters in 3-D than in 2-D.
\`kernelDepth\` 0 makes kernels as deep as there are slices, as the text of the paper says; 3 is far cheaper.

## Beside Table 2 of paper 0

Ghebrechristos & Alaghband 2024 give one figure for each network in 2-D and in 3-D. The 3-D column of ours has kernels of depth 3 and
the dense layers of the 2-D network, so that only convolutions grow. The last column is the depth at which they would give
the paper's 3-D figure.

${table(["model", "2-D, paper", "ours − paper", "3-D, paper", "3-D, ours", "ours − paper", "implied depth"], compared)}

What explains the differences:

${explained(counts)
  .map((line) => `- ${line}`)
  .join("\n")}
`;
}

const signed = (n: number): string => (n > 0 ? `+${number(n)}` : number(n).replace("-", "−"));

function explained(counts: ReadonlyMap<string, ParameterCounts>): string[] {
  const dense = countsOf("efficientNetB0", "dense");
  const grouped = counts.get("efficientNetB0") as ParameterCounts;
  return [
    "The kernels of Table 2 are about 3 deep (3.07 for ResNet50, 3.03 for Inception-v3), whatever its number of slices; the text has Z = 4, 16 or 196. With Z = 16 ResNet50 would have sixteen times its kernels.",
    "VGG: the table says VGG16 and the text VGG19; 143,357,544 is neither (138,357,544 and 143,667,240), but just five million more than VGG16. The growth of 39.7 million, which the text calls about 20 million, is that of VGG19 at a depth of 3.",
    "ResNet50: 2.2 % of the 3-D figure are not explained by kernels of depth 3; the paper does not describe the layers behind the pool.",
    `Inception-v3: batch normalisation here has a scale for each of its 17,216 channels, which the published network has not: TensorFlow.js cannot train without. The rest of the 3-D difference, 1.1 %, is not explained.`,
    `EfficientNet-B0: 5,330,564 is Keras' 5,330,571 without the 7 numbers of its normalising input layer. The 3-D figure, a round 15.9 million, is 2.98 times the 2-D one, as if everything had grown by 3. Here depthwise convolutions stay depthwise; as dense 3-D convolutions of depth 3 (\`depthwise\` dense) the network would have ${number(grouped.flat + (dense.sliced.get(4) ?? 0) - (grouped.sliced.get(4) ?? 0) + 2 * dense.kernels)} parameters.`,
  ];
}
