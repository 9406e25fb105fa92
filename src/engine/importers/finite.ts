import { BulwarkError } from "../../shared/errors.ts";
import { type Artifacts, byteLength, type WeightSpec } from "./artifacts.ts";

/** Looks at every stored weight. @throws MODEL_NAN naming the first that is NaN or infinite. */
export function checkFinite({ specs, weights }: Pick<Artifacts, "specs" | "weights">, file: string): void {
  let offset = 0;
  for (const spec of specs) {
    const length = byteLength(spec);
    const wrong = firstStoredNonFinite(spec, weights.subarray(offset, offset + length));
    if (wrong >= 0) throw notFinite(`The weight ${spec.name} of ${file} is`, wrong);
    offset += length;
  }
}

/** @param subject start of the message, up to its verb */
export const notFinite = (subject: string, position: number): BulwarkError =>
  new BulwarkError(
    "MODEL_NAN",
    `${subject} NaN or infinite at position ${position}.`,
    "Train the model again, with a smaller learning rate, or use an earlier checkpoint.",
  );

/** Position of the first number that is NaN or infinite, or −1. A plain loop, as there are millions. */
export function firstNonFinite(numbers: Float32Array | Float64Array): number {
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i] as number)) return i;
  return -1;
}

function firstStoredNonFinite(spec: WeightSpec, bytes: Uint8Array<ArrayBuffer>): number {
  const { quantization } = spec;
  if (!quantization) return spec.dtype === "float32" ? firstWithExponent(wordsOf(bytes, Uint32Array), 0x7f800000) : -1;
  if (quantization.dtype === "float16") return firstWithExponent(wordsOf(bytes, Uint16Array), 0x7c00);
  return Number.isFinite(quantization.scale ?? 1) && Number.isFinite(quantization.min ?? 0) ? -1 : 0;
}

/** Position of the first number whose exponent bits are all ones, which NaN and the infinities have. */
function firstWithExponent(numbers: Uint32Array | Uint16Array, ones: number): number {
  for (let i = 0; i < numbers.length; i++) if (((numbers[i] as number) & ones) === ones) return i;
  return -1;
}

/** The bytes as numbers, copied only where they do not begin at one's boundary. */
function wordsOf<T>(
  bytes: Uint8Array<ArrayBuffer>,
  Words: { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer, offset: number, length: number): T },
): T {
  const size = Words.BYTES_PER_ELEMENT;
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new Words(buffer, byteOffset, bytes.length / size);
}
