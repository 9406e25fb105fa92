import { singleFileEndings } from "./modelFormats.ts";

/** A model file that a program saves or loads. */
export interface ModelReference {
  /** Of the call, counted from 0. */
  readonly line: number;
  /** As the program writes it, without `file://`. */
  readonly path: string;
}
interface Literal {
  readonly text: string;
  /** Where it begins in the program. */
  readonly at: number;
}

/** Longer programs are not looked through, in characters. */
const longest = 1e6;
/** How far in front of the file name its call may begin, in characters. */
const reach = 2000;
/** Calls within the call that a file name may stand in. */
const mostAround = 4;
/** What saves or loads models: PyTorch's exporter, ONNX and its runtime, Keras, TensorFlow.js. */
const calls =
  /(?:\bonnx\s*\.\s*(?:export|load(?:_model)?|save(?:_model)?)|\bInferenceSession(?:\s*\.\s*create)?|\bload_?model|\bsave_?model|\bloadLayersModel|\.\s*save|\.\s*export)\s*\($/i;
const single = new RegExp(`\\.(?:${singleFileEndings.join("|")})$`, "i");
const folder = "file://";

/**
 * Calls in a program that save or load a model file named by a plain string. The text alone is looked at; comments do not count.
 * @param isPython otherwise TypeScript or JavaScript
 */
export function modelReferences(program: string, isPython: boolean): ModelReference[] {
  if (program.length > longest) return [];
  const { literals, code } = scan(program, isPython);
  return literals.flatMap(({ text, at }) => {
    const path = modelPath(text);
    const call = path === undefined ? undefined : callAround(code, at);
    return path === undefined || call === undefined ? [] : [{ line: lineOf(program, call), path }];
  });
}

/** TensorFlow.js saves into a folder, `file://folder`, and loads `file://folder/model.json`. */
function modelPath(text: string): string | undefined {
  const plain = text.startsWith(folder) ? text.slice(folder.length) : text;
  if (plain === "" || /[{}*?\n]|:\/\//.test(plain)) return undefined; // put together while the program runs, or no path
  if (single.test(plain) || /(?:^|[\\/])model\.json$/.test(plain)) return plain;
  return text.startsWith(folder) ? `${plain.replace(/[\\/]$/, "")}/model.json` : undefined;
}

/** Where the innermost call around a place begins, if it is one that saves or loads; looked for in the code alone. */
function callAround(code: string, at: number): number | undefined {
  let [depth, around] = [0, 0];
  for (let i = at - 1; i >= Math.max(0, at - reach); i--) {
    const sign = code[i];
    if (sign === ")" || sign === "]" || sign === "}") depth++;
    else if (sign === "[" || sign === "{") depth--;
    else if (sign === "(" && depth-- === 0) {
      const before = calls.exec(code.slice(Math.max(0, i - 60), i + 1));
      if (before) return i;
      if (++around > mostAround) return undefined;
      depth = 0; // such as Path("…") or str(…) within the call
    }
    if (depth < 0) depth = 0;
  }
  return undefined;
}

const lineOf = (program: string, at: number): number => program.slice(0, at).split("\n").length - 1;

/** The strings of a program, and the program with strings and comments blanked, at the same places. */
function scan(program: string, isPython: boolean): { readonly literals: Literal[]; readonly code: string } {
  const literals: Literal[] = [];
  const comment = isPython ? /#[^\n]*/y : /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
  const string = isPython
    ? /"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?/y
    : /`(?:\\[\s\S]|[^`\\])*`?|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?/y;
  let code = "";
  for (let i = 0; i < program.length; ) {
    comment.lastIndex = i;
    string.lastIndex = i;
    const noted = comment.exec(program)?.[0];
    const quoted = noted === undefined ? string.exec(program)?.[0] : undefined;
    const closed = quoted === undefined ? null : /^("""|'''|["'`])([\s\S]*)\1$/.exec(quoted);
    if (closed) literals.push({ text: (closed[2] ?? "").replaceAll("\\\\", "\\"), at: i });
    const found = noted ?? quoted ?? "";
    code += found === "" ? program[i] : " ".repeat(found.length);
    i += Math.max(1, found.length);
  }
  return { literals, code };
}
