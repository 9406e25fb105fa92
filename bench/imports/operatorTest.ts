// ONNX' tests of single operators: folders with model.onnx and test_data_set_0/input_*.pb, output_*.pb.
import fs from "node:fs";
import path from "node:path";
import { ByteFile } from "../../src/engine/importers/onnx/file/bytes.ts";
import { ExternalFiles } from "../../src/engine/importers/onnx/file/external.ts";
import { Limits } from "../../src/engine/importers/onnx/file/limits.ts";
import { type FileModel, modelOf } from "../../src/engine/importers/onnx/file/model.ts";
import { type TensorRef, tensorOf } from "../../src/engine/importers/onnx/file/tensor.ts";
import { messageOf } from "../../src/engine/importers/onnx/file/wire.ts";
import { type Constant, ofTensor } from "../../src/engine/importers/onnx/values.ts";

/** An input or output of a test. */
export interface Given {
  readonly name: string;
  readonly ref: TensorRef;
  readonly value: Constant;
}
export interface OperatorTest {
  readonly name: string;
  readonly file: string;
  /** The operator that it is about: that of its only node, or of the test whose operator it takes apart. */
  readonly operator: string;
  readonly model: FileModel;
  readonly inputs: readonly Given[];
  readonly outputs: readonly Given[];
}

const opened = (file: string): ByteFile => new ByteFile(file, fs.openSync(file, "r"));

/** The folders of tests below a folder. */
export function testFolders(folder: string): string[] {
  if (fs.existsSync(path.join(folder, "model.onnx"))) return [folder];
  const inner = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return inner
    .map(({ name }) => name)
    .sort()
    .flatMap((name) => testFolders(path.join(folder, name)));
}

/** Attributes of opset 6 that say what every opset from 7 on does. */
const former = ["is_test", "broadcast", "consumed_inputs"];

/** Opset 6 as 7, the oldest one that is read, wherever both mean the same. */
function atLeast7(model: FileModel): FileModel {
  const { graph } = model;
  const version = model.opsets.get("");
  if (!graph || version === undefined || version >= 7) return model;
  const nodes = graph.nodes.map((node) =>
    node.attributes.has("axis") || node.attributes.get("is_test")?.int === 0
      ? node
      : { ...node, attributes: new Map([...node.attributes].filter(([name]) => !former.includes(name))) },
  );
  return { ...model, opsets: new Map([...model.opsets, ["", 7]]), graph: { ...graph, nodes } };
}

/** Types by their codes: numpy, which wrote the tests, keeps the bits of a bfloat16 as uint16. */
const bfloat16 = 16;
const uint16 = 4;

/** @throws if it is not a test of tensors */
export function readTest(folder: string): OperatorTest {
  const file = path.join(folder, "model.onnx");
  const model = atLeast7(modelOf(messageOf(opened(file)), { externals: new ExternalFiles(file), limits: new Limits(file) }));
  const { graph } = model;
  if (!graph) throw new Error(`${file} has no graph`);
  const valuesOf = (kind: "input" | "output"): Given[] =>
    graph[`${kind}s`].map(({ name, type }, i) => {
      const data = path.join(folder, "test_data_set_0", `${kind}_${i}.pb`);
      if (type === 0) throw new Error("its values are no tensors");
      const stored = tensorOf(messageOf(opened(data)), new ExternalFiles(data), new Limits(data));
      const ref = type === bfloat16 && stored.type === uint16 ? { ...stored, type } : stored;
      return { name, ref, value: ofTensor(ref, file) };
    });
  const name = path.basename(folder);
  const inputs = valuesOf("input");
  return { name, file, operator: operatorOf(folder, model), model, inputs, outputs: valuesOf("output") };
}

function operatorOf(folder: string, { graph }: FileModel): string {
  const [node] = graph?.nodes ?? [];
  const whole = folder.replace(/_expanded(_\w+)?$/, "");
  if (whole !== folder && fs.existsSync(whole)) {
    const file = path.join(whole, "model.onnx");
    return modelOf(messageOf(opened(file)), { externals: new ExternalFiles(file), limits: new Limits(file) }).graph?.nodes[0]?.op ?? "";
  }
  const own = graph?.nodes.filter(({ op }) => op !== "Constant") ?? [];
  const [only] = own;
  if (own.length === 1 && only) return only.op;
  return own.length > 1 ? `several (${path.basename(path.dirname(folder))})` : (node?.op ?? "");
}
