import type { OnnxNode } from "./onnx.ts";

/** Size of a value in the graph, and whether onnxruntime computes it once, at compile time. */
export interface Size {
  readonly bytes: number;
  readonly constant: boolean;
}

/** Bytes that onnxruntime keeps for a session and for each of its nodes, estimated from 400 small graphs. */
const [sessionBytes, nodeBytes] = [32 * 1024, 4 * 1024];

/**
 * Estimates the bytes that a compiled graph holds: the folded constants that its nodes read, plus the peak of the values alive while the
 * nodes run in order, because onnxruntime's arena keeps its peak. Results stay alive until the end.
 */
export function footprint(nodes: readonly OnnxNode[], sizes: ReadonlyMap<string, Size>): number {
  const running = nodes.filter(({ outputs }) => !outputs.every((name) => sizes.get(name)?.constant));
  const owners = new Map<string, string>(); // reshaped value → the value whose memory it shares
  const ownerOf = (name: string): string => owners.get(name) ?? name;
  const last = new Map<string, number>();
  for (const [i, { type, inputs, outputs }] of running.entries()) {
    const [source = ""] = inputs;
    if (type === "Reshape") for (const name of outputs) owners.set(name, ownerOf(source));
    for (const name of inputs) last.set(ownerOf(name), i);
  }
  let [held, alive, peak] = [0, 0, 0];
  for (const name of last.keys()) if (sizes.get(name)?.constant) held += sizes.get(name)?.bytes ?? 0;
  for (const [i, { inputs, outputs }] of running.entries()) {
    for (const name of outputs) if (!owners.has(name)) alive += sizes.get(name)?.bytes ?? 0;
    peak = Math.max(peak, alive);
    for (const name of new Set(inputs.map(ownerOf)))
      if (last.get(name) === i && sizes.get(name)?.constant === false) alive -= sizes.get(name)?.bytes ?? 0;
  }
  return sessionBytes + nodeBytes * running.length + held + peak;
}
