import { hostNames, refused } from "../engine/backends/onnxruntime/kernels/host.ts";
import { kernels } from "../engine/backends/onnxruntime/kernels/index.ts";
import { tf } from "../engine/tf.ts";

const listed = (names: readonly string[]): string =>
  names
    .toSorted()
    .map((name) => `\`${name}\``)
    .join(" ");

/** Which of tfjs' kernels the backend `onnxruntime` lowers to ONNX, which it computes on the host, and which it refuses and why. */
export function enginePage(): string {
  const host = [...hostNames, "Complex"];
  const lowered = Object.keys(kernels).filter((name) => !host.includes(name));
  const known = tf.getKernelsForBackend("cpu").length;
  const reasons = Object.entries(refused).map(([name, why]) => `- \`${name}\`: ${why}.`);
  return `
# Kernels of the ONNX Runtime backend

The \`cpu\` backend has ${known} kernels, tfjs' own and those of batch normalisation in training; each is in one of the three lists.
A model that needs another one stops with \`KERNEL_UNSUPPORTED\` and its name.

## Lowered to ONNX (${lowered.length})

Forward passes, gradients and second-order gradients of all model builders use these alone.

${listed(lowered)}

## Computed on the host (${host.length})

By the \`cpu\` backend's own code on values that are read back: text, complex numbers, ragged and sparse tensors, and results whose shape
depends on values. Any lowered kernel that is given text or complex numbers goes this way too.

${listed(host)}

## Refused (${reasons.length})

${reasons.join("\n")}

## Where its answers differ from \`cpu\`

Types, NaN, infinities, empty tensors and integers are as on \`cpu\`, but for these, where \`cpu\` is the less exact:

- a product of integers is exact modulo 2³²; \`cpu\` rounds it to a double first, which beyond 2⁵³ is another number;
- integers beyond 2²⁴ stay exact where \`cpu\` takes them through a float32 (\`abs\`, \`square\`, nearest-neighbour resizing);
- a bool is 0 or 1; sums of booleans under the type bool are 2 or 255 on \`cpu\`;
- \`matMul\` broadcasts both operands; \`cumsum\` takes scalars and axes counted from the end; \`erf\` keeps tiny arguments;
- a segment sum keeps NaN in its segment; the order of NaN in \`topk\` is open on both sides;
- the gradient of a padded average pool divides by the elements that are there, as the forward pass does;
- the gradient of nearest-neighbour resizing is right for several images, that of bilinear resizing works for oblong ones;
- an index out of range is an error only when the tensor is read, and a negative one in \`gatherND\` and \`scatterND\` counts from the end.
`;
}
