/**
 * What every process that may load ONNX Runtime has in its environment. Without it the library's builds for Linux and macOS keep a device id
 * and queued usage events under `~/.cache/Microsoft/DeveloperTools/.onnxruntime`, and look up a collector. It is read once, when the native
 * part loads.
 */
export const noTelemetry = { ORT_DISABLE_TELEMETRY: "1" } as const;
