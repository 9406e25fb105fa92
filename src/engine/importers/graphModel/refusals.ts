import type { BulwarkError } from "../../../shared/errors.ts";
import type { FileNode } from "../onnx/file/model.ts";
import { UnsupportedModel, wrongInput } from "../onnx/problems.ts";

/** What works for every graph model that cannot be translated. */
export const convertInstead =
  "Open the Keras model that it was made from, or convert it to ONNX: python -m tf2onnx.convert --tfjs model.json --output model.onnx";

const detection = /^(NonMaxSuppression(V\d)?|NonMaxSuppressionWithOverlaps|CombinedNonMaxSuppression|CropAndResize)$/;
const chosen = /^(ArgMax|ArgMin|TopK(V2)?)$/;
const control =
  /^(Switch|RefSwitch|Merge|RefMerge|Enter|Exit|NextIteration|LoopCond|While|StatelessWhile|If|StatelessIf|Case|StatelessCase|TensorArray.*|TensorList.*)$/;
const words =
  /^(String.*|Regex.*|.*HashTable.*|LookupTable.*|DecodeBase64|EncodeBase64|.*RNN.*|.*LSTM.*|.*GRU.*|FFT|RFFT|IRFFT|Unique(V2)?)$/;
const random = /^(Random.*|StatelessRandom.*|Stateless.*Uniform.*|TruncatedNormal|Multinomial)$/;

/**
 * The error for a graph with operations that cannot be translated.
 * @param live all nodes that the output depends on; missing: those without a translation, not empty
 */
export function refusalOf(
  live: readonly FileNode[],
  missing: readonly FileNode[],
  { file, output }: { readonly file: string; readonly output: string },
): BulwarkError {
  const named = ({ name, op }: FileNode): string => `("${name}", ${op})`;
  const classifier = "Use an image classifier.";
  const detects = live.find(({ op }) => detection.test(op));
  if (detects) return wrongInput(file, `gives boxes and classes: it is a detector ${named(detects)}`, classifier);
  const chooses = missing.find(({ op, outputs }) => chosen.test(op) && outputs.includes(output));
  if (chooses) return wrongInput(file, `gives a class number, not scores ${named(chooses)}`, `Export the scores before ${chooses.op}.`);
  const spells = missing.find(({ op }) => words.test(op));
  if (spells) return wrongInput(file, `works on text, sound or sequences ${named(spells)}`, classifier);
  const decides = missing.find(({ op }) => control.test(op));
  if (decides) return new UnsupportedModel(file, `decides at run time what to compute ${named(decides)}`, convertInstead);
  const draws = missing.find(({ op }) => random.test(op));
  if (draws) return new UnsupportedModel(file, `draws random numbers ${named(draws)}`, convertInstead);
  const [first] = missing as [FileNode, ...FileNode[]];
  const others = missing.length - 1;
  const more = others === 0 ? "" : ` (and ${others} more ${others === 1 ? "node" : "nodes"})`;
  return new UnsupportedModel(
    file,
    `has a node "${first.name}" of the operation ${first.op}${more}, which cannot be differentiated here`,
    convertInstead,
  );
}
