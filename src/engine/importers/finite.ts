import { BulwarkError } from "../../shared/errors.ts";
import { type Artifacts, byteLength, type WeightSpec } from "./artifacts.ts";

/** Looks at every stored weight. @throws MODEL_NAN naming the first that is NaN or infinite. */
export function checkFinite({ specs, weights }: Artifacts, file: string): void {
  let offset = 0;
  for (const spec of specs) {
    const length = byteLength(spec);
    const wrong = firstNonFinite(spec, weights.slice(offset, offset + length).buffer);
    if (wrong >= 0) {
      throw new BulwarkError(
        "MODEL_NAN",
        `The weight ${spec.name} of ${file} is NaN or infinite at position ${wrong}.`,
        "Train the model again, with a smaller learning rate, or use an earlier checkpoint.",
      );
    }
    offset += length;
  }
}

function firstNonFinite(spec: WeightSpec, bytes: ArrayBuffer): number {
  const { quantization } = spec;
  if (!quantization) return spec.dtype === "float32" ? new Float32Array(bytes).findIndex((value) => !Number.isFinite(value)) : -1;
  if (quantization.dtype === "float16") return new Uint16Array(bytes).findIndex((half) => (half & 0x7c00) === 0x7c00); // exponent all ones
  return Number.isFinite(quantization.scale ?? 1) && Number.isFinite(quantization.min ?? 0) ? -1 : 0;
}
