import { engine } from "@tensorflow/tfjs-core";
import { dependentReadScope } from "../scopes.ts";

/** Scopes that tfjs opens around the two halves of a gradient. */
const gradientScopes: readonly string[] = ["forward", "backward"];

/** Whether a scope of one of these names is open. */
export const isWithin = (names: readonly string[]): boolean => engine().state.scopeStack.some(({ name }) => names.includes(name));

/** Whether a gradient's tape is open. Whatever is computed meanwhile has to be kept until the gradient is done. */
export const isInGradient = (): boolean => isWithin(gradientScopes);

/** Set to 1 by the tests. In production such a read is only slow. */
const strict = "BULWARK_NO_READS_IN_GRADIENTS";
const foreign = /node_modules|onnxruntime[\\/](backend|gradientScope)|node:internal/;

/**
 * Call this before a read computes what is pending. A read within a gradient cuts the graph in two: every value between the layers leaves
 * the first half and is fed to the second, and nothing is fused across the cut.
 * @throws Error naming the place, where the variable is set
 */
export function refuseReadInGradient(): void {
  if (process.env[strict] !== "1" || !isInGradient() || isWithin([dependentReadScope])) return;
  const error = new Error();
  const frame = error.stack?.split("\n").find((line, i) => i > 0 && !foreign.test(line));
  error.message = `A read within a gradient computes the graph before it is whole, ${frame?.trim() ?? "at an unknown place"}`;
  throw error;
}
