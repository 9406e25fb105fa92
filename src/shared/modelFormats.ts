/** Model files that are recognised and cannot be opened: ending → what people call the format. */
export const unsupportedFormats: Readonly<Record<string, string>> = {
  ".tflite": "TensorFlow Lite",
  ".pb": "TensorFlow",
  ".pt": "PyTorch",
  ".pth": "PyTorch",
  ".safetensors": "Safetensors",
};
