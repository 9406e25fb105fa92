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
/** In the folder of a TensorFlow SavedModel. */
export const savedModelFile = "saved_model.pb";

const torchExport = (onnx: string): string =>
  `torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), ${onnx}, opset_version=17)  # the size of your images`;

/** Format → what turns such a file into an ONNX file. The first line says where it runs. Names are JSON, which Python reads as well. */
const snippets: Readonly<Record<string, (name: string, onnx: string) => readonly string[]>> = {
  PyTorch: (name, onnx) => [
    "# Python, with torch",
    "import torch",
    `model = torch.load(${name}, map_location="cpu")  # of weights alone: build the network, then model.load_state_dict(torch.load(...))`,
    torchExport(onnx),
  ],
  Safetensors: (name, onnx) => [
    "# Python, with torch and safetensors; the file holds weights, the network is in your program",
    "import torch",
    "from safetensors.torch import load_file",
    `model.load_state_dict(load_file(${name}))`,
    torchExport(onnx),
  ],
  "TensorFlow Lite": (name, onnx) => [
    "# Shell, after: pip install tf2onnx",
    `python -m tf2onnx.convert --tflite ${name} --output ${onnx} --opset 17`,
  ],
  "TensorFlow SavedModel": (name, onnx) => [
    "# Shell, after: pip install tf2onnx",
    `python -m tf2onnx.convert --saved-model ${name} --output ${onnx} --opset 17`,
  ],
  TensorFlow: (name, onnx) => [
    "# Shell, after: pip install tf2onnx; put the names of the network's own input and output in",
    `python -m tf2onnx.convert --graphdef ${name} --inputs input:0 --outputs output:0 --output ${onnx} --opset 17`,
  ],
};

/**
 * The lines that export a model of an unsupported format; undefined where none are known.
 * @param format as `unsupportedFormats` names it, or "TensorFlow SavedModel"
 * @param name of the file, or of the folder of a SavedModel
 */
export function exportSnippet(format: string, name: string): string | undefined {
  const onnx = `${name.replace(/\.(tflite|pb|pth?|safetensors)$/i, "")}.onnx`;
  const lines = Object.hasOwn(snippets, format) ? snippets[format]?.(JSON.stringify(name), JSON.stringify(onnx)) : undefined;
  return lines && `${lines.join("\n")}\n`;
}

/** The lines that make a whole model of a Keras file with weights alone. */
export const kerasSnippet = (name: string): string =>
  `# Python; model is the network that the weights belong to\nmodel.load_weights(${JSON.stringify(name)})\nmodel.save(${JSON.stringify(
    `${name.replace(/(\.weights)?\.\w+$/, "")}.keras`,
  )})\n`;
