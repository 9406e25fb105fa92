import { invalidModel, type LayerNode, listed, type Topology } from "./graph.ts";
import type { NamedShape } from "./weights.ts";

/** Last axis of a layer's kernel, by class: what the configuration says it is. */
const outputs: Readonly<Record<string, string>> = {
  Dense: "units",
  Conv1D: "filters",
  Conv2D: "filters",
  GroupedConv2D: "filters",
  Conv3D: "filters",
  CompactConv2D: "filters",
  CompactConv3D: "filters",
  CompactDense: "units",
};

/** Weights of our own layers, by class: name → setting that holds their shape. */
const shapes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Affine: { scale: "scale", offset: "offset" },
  AppendConstant: { constant: "shape" },
  Binary: { constant: "constant" },
  Select: { condition: "condition" },
};

/**
 * Compares what layers say about the size of their kernels with the kernels in the file, before anything is built: a configuration of a
 * billion units would take all memory first. @throws MODEL_INVALID naming the layer
 */
export function checkKernels({ layers }: Topology, stored: readonly NamedShape[], file: string): void {
  const kernels = new Map<string, NamedShape["shape"][]>(); // nested models may share names: one that fits is enough
  for (const { name, shape } of stored) {
    const end = name.split("/").slice(-2).join("/");
    kernels.set(end, [...(kernels.get(end) ?? []), shape]);
  }
  for (const layer of layers) {
    checkSteps(layer, file);
    const storedAs = (weight: string): NamedShape["shape"][] => kernels.get(`${layer.name.split("/").at(-1)}/${weight}`) ?? [];
    for (const [weight, key] of Object.entries(listed(shapes, layer.className) ?? {})) {
      const said = layer.config[key];
      if (Array.isArray(said) && !storedAs(weight).some((shape) => shape.join() === said.join()))
        throw invalidModel(file, `has no weights "${weight}" of the shape [${said.join(", ")}] for its layer "${layer.name}"`);
    }
    const wrong = storedAs("kernel").map((shape) => disagreement(layer, shape));
    const [first] = wrong;
    if (first && !wrong.includes(undefined))
      throw invalidModel(file, `has ${first.says} in its layer "${layer.name}" and stores a kernel [${first.shape.join(", ")}] for it`);
  }
}

const steps = ["kernel_size", "pool_size", "strides", "dilation_rate"];

/** tfjs builds a convolution with a stride of 0 or a dilation below 1, and computes nonsense with it. @throws MODEL_INVALID naming the layer */
function checkSteps({ name, className, config }: LayerNode, file: string): void {
  if (!/Conv|Pooling/.test(className)) return;
  for (const key of steps) {
    const said = config[key] ?? 1;
    if ([said].flat().every((one) => Number.isInteger(one) && (one as number) >= 1)) continue;
    throw invalidModel(file, `has ${JSON.stringify(said)} as ${key} of its layer "${name}", where whole numbers of at least 1 are needed`);
  }
}

function disagreement(
  { className, config }: LayerNode,
  shape: NamedShape["shape"],
): { says: string; shape: NamedShape["shape"] } | undefined {
  const key = listed(outputs, className);
  if (!key) return undefined;
  if (config[key] !== shape.at(-1)) return { says: `${JSON.stringify(config[key])} ${key}`, shape };
  const window: unknown = config["kernel_size"];
  const differs = Array.isArray(window) && window.length === shape.length - 2 && window.some((side, i) => side !== shape[i]);
  return differs ? { says: `a kernel of ${window.join("×")}`, shape } : undefined;
}
