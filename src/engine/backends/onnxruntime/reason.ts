const longest = 200;

/**
 * What ONNX Runtime's error says, for a sentence of ours: its first line, without the names of its own source files and functions, of the model file
 * (our sentence names it) and of the machine, which a GPU's errors tell. No full stop at the end.
 */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const own = (text.split("\n")[0] ?? "")
    .replace(/^Load model from .*? failed:/, "")
    .replace(/^Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: /, '"$2" ($1): ')
    .replace(/\S+\.(?:cc|cpp|cu|h):\d+ .*?\)(?: const)?(?: \[with [^\]]*\])? (?=\S)/, "")
    .replace(/ ; GPU=.*$/, "");
  const short = own.length > longest ? (/^.*\.(?= )/.exec(own.slice(0, longest)) ?? [own.slice(0, longest)])[0] : own;
  return short.replace(/[.:\s]+$/, "");
}
