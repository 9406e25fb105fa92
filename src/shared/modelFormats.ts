/** Endings of models that are one file, without the dot; a TensorFlow.js model is a `model.json` with others beside it. */
export const singleFileEndings = ["onnx", "keras", "h5", "hdf5"] as const;

/** Model files that are recognised and cannot be opened: ending → what people call the format. */
export const unsupportedFormats: Readonly<Record<string, string>> = {
  ".tflite": "TensorFlow Lite",
  ".pb": "TensorFlow",
  ".pt": "PyTorch",
  ".pth": "PyTorch",
  ".safetensors": "Safetensors",
};
