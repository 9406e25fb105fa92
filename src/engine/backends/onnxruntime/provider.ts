import type { Device } from "../../../shared/devices.ts";

/** ONNX Runtime's own names of its execution providers. What one of them does not claim, ONNX Runtime places on the CPU. */
export const providers: Readonly<Record<Device, string>> = {
  cpu: "cpu",
  webgpu: "webgpu",
  cuda: "cuda",
  directml: "dml",
  coreml: "coreml",
};

/** A node about to be written, as far as its placement depends on it. */
export interface PlacedNode {
  readonly type: string;
  readonly shapes: readonly (readonly number[] | undefined)[];
  readonly outputs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Numbers of an input that is a list of constants. */
  readonly constants: (input: number) => readonly number[] | undefined;
}

const list = (value: unknown): readonly number[] => (Array.isArray(value) ? value.filter((item) => typeof item === "number") : []);

/**
 * What WebGPU's provider claims and then refuses, or computes wrongly (onnxruntime 1.30); test/conformance runs into each of them when
 * it is taken off. Such nodes are named to ONNX Runtime as the CPU's.
 */
const refusedByWebgpu: Readonly<Record<string, (node: PlacedNode) => boolean>> = {
  // Only one and two spatial axes; groups of more than one channel are mixed up.
  ConvTranspose: ({ shapes: [, filter], attributes }) => {
    const group = attributes["group"] ?? 1;
    return (filter?.length ?? 4) > 4 || (group !== 1 && (filter?.[0] !== group || filter?.[1] !== 1));
  },
  Conv: ({ shapes, attributes }) => {
    const [input, filter] = shapes;
    // Three spatial axes have no groups.
    if ((filter?.length ?? 4) > 4) return (attributes["group"] ?? 1) !== 1;
    // A filter of one pixel, or of the image's size, is taken for a matrix product, whatever is padded behind the image.
    const pads = list(attributes["pads"]);
    const [image, window] = [input?.slice(2), filter?.slice(2)];
    const isProduct = window?.every((size, axis) => size === image?.[axis]) || window?.every((size) => size === 1);
    return isProduct === true && pads.some((pad, i) => pad !== pads[(i + pads.length / 2) % pads.length]);
  },
  // −∞ comes back as the lowest finite number.
  TopK: () => true,
  // No positions of the maxima.
  MaxPool: ({ outputs }) => outputs > 1,
  // A negative step counts from the wrong end unless it begins at the last element.
  Slice: ({ constants }) => (constants(4) ?? []).some((step) => step < 0),
};

/**
 * Channels of zeros that a convolution's image and filter need on top. WebGPU's provider reads channels by threes where fours do not divide
 * them, and sums the wrong ones when there are more than three (onnxruntime issue 29651).
 */
export function missingChannels(device: Device, { type, shapes, attributes }: Pick<PlacedNode, "type" | "shapes" | "attributes">): number {
  const [outputs = 1, channels = 1, ...window] = shapes[1] ?? [];
  if (device !== "webgpu" || type !== "Conv" || window.length !== 2 || (attributes["group"] ?? 1) !== 1) return 0;
  return channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && outputs % 4 === 0 ? 4 - (channels % 4) : 0;
}

/** Whether a node must be kept off the device that the rest of its graph runs on. */
export const belongsOnCpu = (device: Device, node: PlacedNode): boolean =>
  device === "webgpu" && (refusedByWebgpu[node.type]?.(node) ?? false);

/** A provider as a session wants it, with the nodes that it must leave to the CPU. */
export const providerOption = (device: Device, cpuNodes: readonly string[]): string | object =>
  device === "webgpu" && cpuNodes.length > 0 ? { name: providers[device], forceCpuNodeNames: cpuNodes } : providers[device];
