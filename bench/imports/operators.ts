// `node bench/imports.mjs operators FOLDER [NAME…]`: ONNX' own tests of single operators, twice: by the evaluator of constants, and by the
// layers that the importer makes of them, in every way in which an input may depend on the picture. NAMEs narrow the tests, whose ways are
// then all shown. Exit code 1 where a number is wrong.
import * as ort from "onnxruntime-node";
import { useBackend } from "../../src/engine/backends/index.ts";
import { runNetwork } from "../../src/engine/classifier/graph.ts";
import { builtFrom } from "../../src/engine/importers/build.ts";
import { analyse } from "../../src/engine/importers/onnx/analysis.ts";
import { inlined } from "../../src/engine/importers/onnx/functions.ts";
import { type OpGraph, opGraphOf } from "../../src/engine/importers/onnx/graph.ts";
import { loweredTo } from "../../src/engine/importers/onnx/lowered.ts";
import { checkOperators } from "../../src/engine/importers/onnx/operators.ts";
import { refuseTrainingMode } from "../../src/engine/importers/onnx/trainingMode.ts";
import { ofData, ofTensor } from "../../src/engine/importers/onnx/values.ts";
import { setWeights } from "../../src/engine/importers/onnx/weights.ts";
import { tf } from "../../src/engine/tf.ts";
import { type Given, type OperatorTest, readTest, testFolders } from "./operatorTest.ts";
import { type Way, waysOf } from "./operatorWays.ts";

/** How a test ended one way: passed, refused with the reason, or with wrong numbers. */
interface End {
  /** "differs" where ONNX Runtime itself gives our numbers, not those of the test. */
  readonly end: "passed" | "refused" | "differs" | "WRONG";
  readonly why: string;
  /** What was computed in place of the expected numbers. */
  readonly found?: ArrayLike<number>;
}
const passed: End = { end: "passed", why: "" };
const ends = ["passed", "refused", "differs", "WRONG"] as const;

/** The first number that is off by more than float32 explains; half precision is computed in 32 bits here. */
function compared(found: ArrayLike<number>, { value, ref }: Given): End {
  const expected = value.data;
  const share = ({ 10: 2e-3, 16: 8e-3 } as Readonly<Record<number, number>>)[ref.type] ?? 1e-5;
  const largest = Float64Array.from(expected).reduce((most, one) => (Number.isFinite(one) ? Math.max(most, Math.abs(one)) : most), 0);
  if (found.length !== expected.length) return { end: "WRONG", why: `${found.length} numbers in place of ${expected.length}` };
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i] as number, expected[i] as number];
    const isSame = a === b || (Number.isNaN(a) && Number.isNaN(b));
    if (!isSame && !(Math.abs(a - b) <= share * largest)) return { end: "WRONG", why: `${a} in place of ${b} at ${i}`, found };
  }
  return passed;
}

const refused = (error: unknown): End => {
  const { name, message, stack } = error as Error;
  const isOurs = name === "BulwarkError" || (error as Error).constructor.name === "UnsupportedModel";
  return isOurs ? { end: "refused", why: message } : { end: "WRONG", why: `${message} ${stack?.split("\n").slice(1, 4).join(" ")}` };
};

/** Names of element types in ONNX Runtime. */
const typeNames: Readonly<Record<number, string>> = { 1: "float32", 6: "int32", 7: "int64", 9: "bool", 11: "float64" };

/** What ONNX Runtime makes of a test; undefined where it has not its types. */
async function runtimeNumbers({ file, inputs }: OperatorTest, output: Given): Promise<ArrayLike<number> | undefined> {
  try {
    const session = await ort.InferenceSession.create(file, { logSeverityLevel: 4 });
    const feeds = inputs.map(({ name, ref, value }) => {
      const type = typeNames[ref.type] as "float32";
      const data = type === ("int64" as string) ? BigInt64Array.from([...value.data].map(BigInt)) : [...value.data];
      return [name, new ort.Tensor(type, data as number[], [...ref.shape])] as const;
    });
    const found = await session.run(Object.fromEntries(feeds));
    return Float64Array.from(found[output.name]?.data as ArrayLike<number>);
  } catch {
    return undefined;
  }
}

/** A wrong end, unless ONNX Runtime has the same numbers. */
async function judged(end: End, test: OperatorTest, output: Given): Promise<End> {
  if (end.end !== "WRONG" || !end.found) return end;
  const theirs = await runtimeNumbers(test, output);
  const isSame =
    theirs && compared(end.found, { ...output, value: ofData("float", output.value.shape, Float64Array.from(theirs)) }).end === "passed";
  return isSame ? { ...end, end: "differs", why: `${end.why}, as ONNX Runtime` } : end;
}

/** All inputs are constant; undefined where the operator is none that is folded. */
function folded({ model, file, inputs }: OperatorTest, output: Given): End | undefined {
  const { graph } = model;
  if (!graph) return undefined;
  try {
    const opsetOf = (domain: string): number => model.opsets.get(domain) ?? 0;
    const nodes = inlined(graph.nodes, model.functions, file).map((node) => ({
      ...node,
      title: node.name || node.outputs[0] || node.op,
      opset: opsetOf(node.domain),
    }));
    const stored = [...graph.initializers].map(([name, ref]) => [name, ofTensor(ref, file)] as const);
    const initializers = new Map([...stored, ...inputs.map(({ name, value }) => [name, value] as const)]);
    const input = { name: "picture", type: 1, shape: [null, 1, 1, 1] };
    const own = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
    const whole: OpGraph = { file, nodes, initializers, input, output: output.name, own };
    checkOperators(whole);
    refuseTrainingMode(whole);
    const constant = analyse(whole, [1, 1, 1, 1], null).constantOf(output.name);
    if (!constant) return undefined;
    const isSame = constant.shape.join() === output.value.shape.join();
    return isSame ? compared(constant.data, output) : { end: "WRONG", why: `[${constant.shape.join(", ")}]` };
  } catch (error) {
    return refused(error);
  }
}

/** The layers, on two batches in one: that of the test, and the same halved, which must not matter. */
async function lowered(test: OperatorTest, way: Way, output: Given): Promise<End> {
  try {
    const { plan, topology } = loweredTo(opGraphOf(way.model, test.file, undefined), way.image, "operator");
    const network = await builtFrom(topology, plan.numbers, test.file, (built) => setWeights(built, plan, test.file));
    const x = tf.tensor4d(
      Float32Array.from(
        { length: 2 * way.data.length },
        (_, i) => (way.data[i % way.data.length] as number) / (i < way.data.length ? 1 : 2),
      ),
      [2 * way.rows, ...way.shape],
    );
    const y = tf.tidy(() => tf.slice(runNetwork(network, x), [0, 0], [way.rows, -1]));
    const found = await y.data();
    tf.dispose([x, y]);
    network.dispose();
    return compared(found, output);
  } catch (error) {
    return refused(error);
  }
}

const firstOf = (found: readonly End[], end: End["end"]): End | undefined => found.find((one) => one.end === end);
/** Of several ways: wrong where one is, else passed where one is. */
const joined = (found: readonly End[]): End | undefined =>
  firstOf(found, "WRONG") ?? firstOf(found, "differs") ?? firstOf(found, "passed") ?? found[0];
/** Of several outputs: wrong where one is, else as the first; what is refused of others is told. */
const all = (found: readonly (End | undefined)[]): End | undefined => {
  const [first] = found;
  const known = found.filter((one) => one !== undefined);
  const other = known.slice(1).find(({ end }) => end === "refused");
  const end = firstOf(known, "WRONG") ?? first ?? known[0];
  return end?.end === "passed" && other ? { ...end, why: `further outputs: ${other.why}` } : end;
};

interface Result {
  readonly operator: string;
  readonly name: string;
  readonly folding: End | undefined;
  readonly layers: End | undefined;
}

async function resultOf(folder: string, isShown: boolean): Promise<Result> {
  const name = folder.split(/[\\/]/).at(-1) ?? folder;
  let test: OperatorTest;
  try {
    test = readTest(folder);
  } catch (error) {
    return { operator: "tests of other values than tensors", name, folding: undefined, layers: { ...refused(error), end: "refused" } };
  }
  const outputs: (End | undefined)[] = [];
  for (const output of test.outputs) {
    const found: End[] = [];
    for (const way of waysOf(test, output)) {
      const end = await judged(await lowered(test, way, output), test, output);
      found.push(end);
      if (isShown || end.end === "WRONG") console.log(`${end.end.padEnd(7)} ${name}: ${way.title} ${end.why}`);
    }
    outputs.push(joined(found));
  }
  const constants: (End | undefined)[] = [];
  for (const output of test.outputs) {
    const end = folded(test, output);
    constants.push(end && (await judged(end, test, output)));
  }
  const folding = all(constants);
  if (folding && (isShown || folding.end === "WRONG")) console.log(`${folding.end.padEnd(7)} ${name}: folded ${folding.why}`);
  return { operator: test.operator, name, folding, layers: all(outputs) };
}

/** A reason without the names in it, so that equal ones count together. */
const plainReason = (why: string): string => why.replace(/\S*model\.onnx /, "").replaceAll(/"[^"]*" ?/g, "");

/** What has to be said of a test: a wrong or different number, else why nothing passed, else what is refused of its further outputs. */
function remark({ layers, folding }: Result): End | undefined {
  const known = [layers, folding].filter((one) => one !== undefined);
  const off = firstOf(known, "WRONG") ?? firstOf(known, "differs");
  if (off) return off;
  const good = firstOf(known, "passed");
  if (good) return known.find(({ end, why }) => end === "passed" && why !== "");
  return known[0] ?? { end: "refused", why: "neither folded nor a network: no input can depend on a picture" };
}

function show(results: readonly Result[]): void {
  const operators = [...new Set(results.map(({ operator }) => operator))].sort();
  console.log("operator, tests | as layers | as constants");
  for (const operator of operators) {
    const own = results.filter((one) => one.operator === operator);
    const part = (which: "folding" | "layers"): string => {
      const counts = ends.map((end) => [end, own.filter((one) => one[which]?.end === end).length] as const);
      return counts.flatMap(([end, n]) => (n > 0 ? [`${n} ${end}`] : [])).join(", ") || "-";
    };
    console.log(`${operator.padEnd(22)} ${String(own.length).padStart(3)} | ${part("layers").padEnd(28)} | ${part("folding")}`);
    const reasons = new Map<string, string[]>();
    for (const one of own) {
      const said = remark(one);
      if (said) reasons.set(plainReason(said.why), [...(reasons.get(plainReason(said.why)) ?? []), one.name]);
    }
    for (const [why, names] of reasons) console.log(`    ${names.length} × ${why} (${names.slice(0, 3).join(", ")})`);
  }
  const best = results.map(({ layers, folding }) => joined([layers, folding].filter((one) => one !== undefined))?.end ?? "refused");
  console.log(`${results.length} tests: ${ends.map((end) => `${best.filter((one) => one === end).length} ${end}`).join(", ")}`);
}

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  const [folder = "", ...names] = process.argv.slice(2);
  const folders = testFolders(folder).filter((one) => names.length === 0 || names.some((name) => one.includes(name)));
  const results: Result[] = [];
  for (const one of folders) results.push(await resultOf(one, names.length > 0));
  show(results);
  process.exit(results.some(({ layers, folding }) => layers?.end === "WRONG" || folding?.end === "WRONG") ? 1 : 0);
}
void main();
