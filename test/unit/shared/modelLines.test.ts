import { describe, expect, it } from "vitest";
import { exportSnippet, kerasSnippet } from "../../../src/shared/modelFormats.ts";
import { modelReferences } from "../../../src/shared/modelLines.ts";

const python = (program: string) => modelReferences(program, true);
const script = (program: string) => modelReferences(program, false);

describe("model files that a program names", () => {
  it.each([
    'torch.onnx.export(model, x, "net.onnx")',
    "torch.onnx.export(model, (x, y[0]), f='net.onnx', opset_version=17)",
    'model.save("net.onnx")',
    "keras.models.load_model('net.onnx', compile=False)",
    'session = ort.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])',
    'onnx.save(model, str(Path("net.onnx")))',
    'onnx.load(r"net.onnx")',
    'tf.keras.models.save_model(model, "net.onnx")',
  ])("are found in Python: %s", (line) => {
    expect(python(`import torch\n${line}\n`)).toEqual([{ line: 1, path: "net.onnx" }]);
  });

  it.each([
    ['const s = await ort.InferenceSession.create("a/net.onnx");', "a/net.onnx"],
    ["const m = await tf.loadLayersModel('file://a/model.json');", "a/model.json"],
    ["const m = await tf.loadLayersModel(`file:///w/a/model.json`);", "/w/a/model.json"],
    ['await model.save("file://./out");', "./out/model.json"],
    ['await model.save("file://out/");', "out/model.json"],
  ])("are found in TypeScript: %s", (line, path) => {
    expect(script(line)).toEqual([{ line: 0, path }]);
  });

  it("belong to the line of their call, which may be lines above", () => {
    expect(python('torch.onnx.export(\n    model.eval(),  # it is (trained)\n    torch.zeros(1, 3, 8, 8),\n    "net.onnx",\n)')).toEqual([
      { line: 0, path: "net.onnx" },
    ]);
  });

  it.each([
    '# model.save("net.keras")',
    '"""\nmodel.save(\'net.keras\')\n"""',
    'path = "net.keras"',
    'print("net.keras")',
    'model.save(f"net-{epoch}.keras")',
    'model.save("weights.npz")',
    'model.save()\nprint("net.keras")',
    "model.save(",
    'model.save("net.keras',
  ])("are not: %s", (program) => {
    expect(python(program)).toEqual([]);
  });

  it("are not in comments of a script, in pages of the web, or in a program of more than a megabyte", () => {
    expect(script('// model.save("net.onnx")\n/* tf.loadLayersModel("file://a/model.json")\n*/')).toEqual([]);
    expect(script('tf.loadLayersModel("https://example.org/a/model.json")')).toEqual([]);
    const call = 'model.save("net.keras")\n';
    expect(python(call + "x = 1\n".repeat(170_000))).toEqual([]);
    expect(python(call + "x = 1\n".repeat(100))).toHaveLength(1);
  });

  it("take time in proportion to the program's length at most", () => {
    expect(python("(".repeat(200_000))).toEqual([]);
    expect(python('"a.onnx" '.repeat(2000))).toEqual([]);
  });
});

describe("lines that export a model", () => {
  it("name the file and the ONNX file beside it", () => {
    expect(exportSnippet("PyTorch", "net.pt")).toContain('torch.load("net.pt"');
    expect(exportSnippet("PyTorch", "net.pt")).toContain('torch.zeros(1, 3, 224, 224), "net.onnx"');
    expect(exportSnippet("Safetensors", "net.safetensors")).toContain('load_file("net.safetensors")');
    expect(exportSnippet("TensorFlow SavedModel", "saved")).toContain('--saved-model "saved" --output "saved.onnx"');
    expect(exportSnippet("TensorFlow Lite", 'a"b.tflite')).toContain('--tflite "a\\"b.tflite" --output "a\\"b.onnx"');
    expect(exportSnippet("constructor", "x")).toBeUndefined();
    expect(kerasSnippet("net.weights.h5")).toContain('model.save("net.keras")');
  });
});
