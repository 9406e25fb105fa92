import type { tf } from "../tf.ts";

/** tfjs itself, handed in by `tf.ts`, which stays its only importer. */
export type Core = typeof tf;
type Gradients = Readonly<Record<string, () => tf.Tensor>>;

/** The gradient of a kernel with one result; `saved` holds the inputs that are named, in that order. */
export const gradientOf = <Saved extends readonly tf.Tensor[], Attributes = unknown>(
  kernelName: string,
  inputsToSave: { readonly [K in keyof Saved]: string },
  gradient: (dy: tf.Tensor, saved: Saved, attrs: Attributes) => Gradients,
): tf.GradConfig => ({
  kernelName,
  inputsToSave: [...inputsToSave],
  gradFunc: (dy, saved, attrs) => gradient(dy as tf.Tensor, saved as readonly tf.Tensor[] as Saved, attrs as Attributes),
});

/** A zero gradient for that input, made within the graph. It is float32 whatever the input is, as tfjs demands of gradients. */
export const zero =
  (core: Core, input: tf.Tensor): (() => tf.Tensor) =>
  () =>
    core.fill(input.shape, 0, "float32");

export type Inputs = Readonly<Record<string, tf.Tensor>>;
/** A kernel of our own, from operations of tfjs: its inputs by name, and its attributes. */
export type Body<Attributes = unknown> = (inputs: Inputs, attributes: Attributes) => tf.Tensor | tf.Tensor[];

/** Registers a kernel of our own for the backends that have none. */
export function registerForOthers<Attributes>(core: Core, kernelName: string, body: Body<Attributes>): void {
  const kernelFunc = (({ inputs, attrs }: { inputs: Inputs; attrs: Attributes }) =>
    core.tidy(() => body(inputs, attrs))) as unknown as tf.KernelFunc;
  for (const backendName of ["cpu", "wasm", "tensorflow"]) core.registerKernel({ kernelName, backendName, kernelFunc });
}

/** Runs a kernel of our own that has one result. */
export const runKernel = (core: Core, name: string, inputs: Inputs, attributes: object = {}): tf.Tensor =>
  core.engine().runKernel<tf.Tensor>(name, inputs as unknown as tf.NamedTensorMap, { ...attributes });
