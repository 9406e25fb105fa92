import type { BatchMatMulAttrs, BatchMatMulInputs, TensorInfo } from "@tensorflow/tfjs-core";
import { broadcast_util } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { activate, type Fused } from "./activation.ts";
import { isEmpty, type Kernels, kernel } from "./kernel.ts";

const swapLast = (g: Graph, x: Value): Value => {
  const rank = x.shape.length;
  return g.transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
};

const isPlain = (x: Value): boolean => x.shape.slice(0, -2).every((size) => size === 1);
const plain = (g: Graph, x: Value): Value => g.reshape(x, x.shape.slice(-2));

/** a·b over the last two axes. Plain matrices use Gemm, which needs no transposed copy. */
export function matmul(g: Graph, a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  if ((transposeA || transposeB) && isPlain(a) && isPlain(b) && a.dtype === "float32") {
    const rows = (transposeA ? a.shape.at(-1) : a.shape.at(-2)) ?? 1;
    const columns = (transposeB ? b.shape.at(-2) : b.shape.at(-1)) ?? 1;
    const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
    const product = g.op("Gemm", [plain(g, a), plain(g, b)], [rows, columns], a.dtype, flags);
    const batch = Array<number>(Math.max(a.shape.length, b.shape.length) - 2).fill(1);
    return g.reshape(product, [...batch, rows, columns]);
  }
  return g.matmul(transposeA ? swapLast(g, a) : a, transposeB ? swapLast(g, b) : b);
}

function shapeOf(a: TensorInfo, b: TensorInfo, { transposeA, transposeB }: BatchMatMulAttrs): number[] {
  const [rankA, rankB] = [a.shape.length, b.shape.length];
  const inner = [a.shape[transposeA ? rankA - 2 : rankA - 1], b.shape[transposeB ? rankB - 1 : rankB - 2]];
  if (inner[0] !== inner[1])
    throw new Error(
      `Error in matMul: inner shapes (${inner[0]}) and (${inner[1]}) of Tensors with shapes ${a.shape} and ${b.shape} and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
    );
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [...batch, a.shape[transposeA ? rankA - 1 : rankA - 2] ?? 1, b.shape[transposeB ? rankB - 2 : rankB - 1] ?? 1];
}

export const matrix: Kernels = {
  BatchMatMul: kernel<BatchMatMulInputs, BatchMatMulAttrs>(({ inputs: { a, b }, attrs, backend }) => {
    const shape = shapeOf(a, b, attrs);
    const { transposeA, transposeB } = attrs;
    if (isEmpty(a.shape) || isEmpty(b.shape))
      return backend.record("Full", 0, [], { shape, dtype: a.dtype }, (g) => g.expand(g.scalar(0, a.dtype as "float32"), shape));
    return backend.record("BatchMatMul", [transposeA, transposeB], [a, b], { shape, dtype: a.dtype }, (g, x, y) =>
      matmul(g, x, y, transposeA, transposeB),
    );
  }),
  _FusedMatMul: kernel<Fused<"a" | "b">, BatchMatMulAttrs & { activation?: string; leakyreluAlpha?: number }>(
    ({ inputs, attrs, backend }) => {
      const { a, b, bias, preluActivationWeights: prelu } = inputs;
      const { transposeA, transposeB, activation, leakyreluAlpha } = attrs;
      const shape = shapeOf(a, b, attrs);
      const list = [a, b, ...(bias ? [bias] : []), ...(prelu ? [prelu] : [])];
      const key = [transposeA, transposeB, !!bias, !!prelu, activation, leakyreluAlpha];
      return backend.record("FusedMatMul", key, list, { shape, dtype: a.dtype }, (g, x, y, ...rest) => {
        const product = matmul(g, x, y, transposeA, transposeB);
        const [shift] = bias ? rest.splice(0, 1) : [];
        return activate(g, shift ? g.binary("Add", product, shift) : product, activation, rest[0], leakyreluAlpha);
      });
    },
  ),
};
