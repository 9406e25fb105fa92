/** Registers the tfjs backend `onnxruntime` and returns its device in words. */
export function prepare(): string {
  throw new Error("not built in yet");
}
