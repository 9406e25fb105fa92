/**
 * Figures as printed in "3D convolution for proactive defense against localized adversary attacks" (Ghebrechristos & Alaghband), whose
 * text also appeared as "Immunizing image classifiers against localized adversary attacks". Remarks say where it contradicts itself.
 */
export type PaperModel = "EfficientNet" | "VGG" | "Inception" | "ResNet" | "ECViT-B" | "not named";
export type PaperData = "CIFAR10" | "CIFAR100" | "ILSVRC12";
export type Quantity = "clean" | "onePixel" | "patch" | "betaPatch" | "aucOnePixel" | "aucPatch" | "milliseconds";

export interface Printed {
  readonly source: string;
  readonly quantity: Quantity;
  /** A measure (the full method with it), a part of the ablation, "undefended", or another defence by its name in the paper. */
  readonly row: string;
  readonly model: PaperModel;
  readonly dataset: PaperData;
  /** Percent, milliseconds, or an area in [0,1]. */
  readonly value: number;
  readonly remark?: string;
}

const data3: readonly PaperData[] = ["CIFAR10", "CIFAR100", "ILSVRC12"];
type Row = readonly [row: string, values: readonly (number | null)[], remark?: string];

/** One quantity of a table: a value for each of the (model, data) columns, `null` for "–". */
function table(
  source: string,
  quantity: Quantity,
  columns: readonly (readonly [PaperModel, PaperData])[],
  rows: readonly Row[],
): Printed[] {
  return rows.flatMap(([row, values, remark]) =>
    columns.flatMap(([model, dataset], i): Printed[] => {
      const value = values[i] ?? null;
      return value === null ? [] : [{ source, quantity, row, model, dataset, value, ...(remark ? { remark } : {}) }];
    }),
  );
}

const efficientNet = data3.map((dataset) => ["EfficientNet", dataset] as const);
const cifar10 = (...models: PaperModel[]) => models.map((model) => [model, "CIFAR10"] as const);
const imageNet = (...models: PaperModel[]) => models.map((model) => [model, "ILSVRC12"] as const);
const otherDefence = "Another defence, as the paper reports it.";

const table3: readonly Printed[] = [
  ...table("Table 3", "clean", efficientNet, [
    ["entropy", [94, 90.5, 76.8]],
    ["mutualInformation", [96.3, 98, 79]],
    ["klDivergence", [93, 93.2, 75]],
    ["psnr", [89, 90.3, 76]],
    ["maxNorm", [92, 86, 75.4]],
    ["undefended", [99, 96.8, 78.3], "Table 4 prints 98 for CIFAR-10."],
  ]),
  ...table("Table 3", "onePixel", efficientNet, [
    ["entropy", [85, 74, 56.8]],
    ["mutualInformation", [91.3, 70, 69]],
    ["klDivergence", [63, 73, 62.1]],
    ["psnr", [83.6, 51, 56]],
    ["maxNorm", [74, 51, 49.5]],
    ["undefended", [43.2, 32.5, 12.4], "Table 4 prints 44.3 for CIFAR-10, which is the patch cell of Table 3."],
  ]),
  ...table("Table 3", "patch", efficientNet, [
    ["entropy", [79, 55.2, 58.2]],
    ["mutualInformation", [61.6, 53, 61.2], "Table 5 prints β 95.6 for the same method on ResNet."],
    ["klDivergence", [65, 43.2, 36.8]],
    ["psnr", [52, 53, 48.3]],
    ["maxNorm", [42, 38, 32]],
    ["undefended", [44.3, 22.1, 10.8]],
  ]),
];

const table4Columns = cifar10("EfficientNet", "VGG");
const table4: readonly Printed[] = [
  ...table("Table 4", "clean", table4Columns, [
    ["undefended", [98, 98.9], "Table 3 prints 99 for EfficientNet."],
    ["I", [96.3, 99]],
    ["PSD", [null, 99.53], otherDefence],
    ["Liu et al.", [null, 89.8], otherDefence],
  ]),
  ...table("Table 4", "onePixel", table4Columns, [
    ["undefended", [44.3, 35.9], "Table 3 prints 43.2 for EfficientNet."],
    ["I", [91.3, 98.6]],
    ["PSD", [null, 97.8], `${otherDefence} The text says that I is 1.2 better; the table says 0.8.`],
    ["Liu et al.", [null, 91], `${otherDefence} The text says that I is 4.6 better; the table says 7.6.`],
  ]),
];

const on = (model: PaperModel) => data3.map((dataset) => [model, dataset] as const);
const table5: readonly Printed[] = [
  ...table("Table 5", "betaPatch", on("EfficientNet"), [["entropy", [91.3, 80.5, null], "91.3 is also the 1-pixel accuracy of I."]]),
  ...table("Table 5", "betaPatch", on("ResNet"), [
    ["mutualInformation", [95.6, 95.43, 89.1]],
    ["Jujutsu", [86.5, 55.7, null], otherDefence],
  ]),
  ...table("Table 5", "betaPatch", on("Inception"), [
    ["psnr", [96.12, 94.3, 83.2], "The text says that 83.2 surpasses the 86.8 of Vax-a-Net."],
    ["DW", [null, null, 66.2], otherDefence],
  ]),
  ...table("Table 5", "betaPatch", on("VGG"), [
    ["Vax-a-Net", [null, 91.6, 86.8], otherDefence],
    ["DW", [null, null, 65.2], otherDefence],
  ]),
  ...table("Table 5", "betaPatch", on("not named"), [["LGS", [93.2, 73.7, null], otherDefence]]),
  ...table("Table 5", "betaPatch", on("ECViT-B"), [["ECViT-B", [47.39, null, 41.7], otherDefence]]),
];

const table6Columns = cifar10("EfficientNet", "VGG", "Inception");
const textIsConsistent = "Table and text differ; only the text's 81.6/89.7/85.2 agree with the differences that it names.";
const table6: readonly Printed[] = [
  ...table("Table 6", "clean", table6Columns, [
    ["I-Vol", [93.7, 97.2, 97.4]],
    ["I-CL", [97.9, 99.4, 98.6]],
    ["I", [96.3, 99, 99]],
  ]),
  ...table("Table 6", "onePixel", table6Columns, [
    ["I-Vol", [90.6, 95.7, 95.2], textIsConsistent],
    ["I-CL", [56.8, 38.1, 12.3]],
    ["I", [91.3, 98.6, 96.12]],
  ]),
  ...table("Table 6, in the text", "onePixel", table6Columns, [["I-Vol", [81.6, 89.7, 85.2], textIsConsistent]]),
];

const sixMilliseconds = "The text speaks of about 6 ms more; the table's mean difference is 0.073 ms. NVIDIA RTX A4000.";
const table7: readonly Printed[] = table("Table 7", "milliseconds", imageNet("VGG", "ResNet", "Inception"), [
  ["undefended", [0.12, 0.14, 0.09], sixMilliseconds],
  ["I", [0.23, 0.18, 0.16], sixMilliseconds],
]);

const impossible = "Cannot belong to a network that is right on 98.6 % under attack (Table 4): hard labels alone would give 0.992.";
const figure8: readonly Printed[] = [
  ...table("Figure 8, left", "aucOnePixel", cifar10("VGG"), [
    ["undefended", [0.5], "That is chance; 35.9 % accuracy (Table 4) gives at least 0.644."],
    ["I", [0.69], impossible],
  ]),
  ...table("Figure 8, right", "aucPatch", cifar10("VGG"), [
    ["undefended", [0.5]],
    ["I", [0.65], "Patch of 8×8 pixels."],
  ]),
];

export const printed: readonly Printed[] = [...table3, ...table4, ...table5, ...table6, ...table7, ...figure8];

/** What the paper's curves say where its text gives a number or a direction. */
export const statements = {
  figure5: "defended above 80 % after 300 epochs, undefended below 72 % (EfficientNet, CIFAR-10)",
  figure6a: "the undefended network is up to 40 % less accurate (EfficientNet, N-pixel)",
  figure6b: "the undefended network is up to 40 % less accurate (Inception, patch)",
  figure6cd: "β falls as the attack grows; no value is printed",
  figure7:
    "β falls when the pixels attacked outnumber those of a slice; no value is printed. The caption calls 4×4 slices depth 16; they make 64.",
} as const;
