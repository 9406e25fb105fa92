import type { backend_util, DataType } from "@tensorflow/tfjs-core";
import { handedOverScope } from "../scopes.ts";
import { isWithin } from "./gradientScope.ts";
import type { NativeTensor } from "./native.ts";

export const emptyValues = (dtype: DataType, size: number): NativeTensor["data"] =>
  dtype === "float32" ? new Float32Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size);

/**
 * The values in the array type that belongs to the dtype, copied: the caller may reuse its buffer before the graph runs. One that has said that
 * it will not keeps its array.
 */
export function own(values: backend_util.BackendValues, dtype: DataType): backend_util.BackendValues {
  if (dtype === "string" || (Array.isArray(values) && values[0] instanceof Uint8Array)) return values;
  if (values instanceof Float32Array && dtype === "float32" && isWithin([handedOverScope])) return values;
  const numbers = values as ArrayLike<number>;
  if (dtype === "int32") return Int32Array.from(numbers);
  if (dtype === "bool") return Uint8Array.from(numbers, (value) => (value ? 1 : 0));
  return numbers instanceof Float32Array ? numbers.slice() : Float32Array.from(numbers); // slice() copies the memory in one go
}
