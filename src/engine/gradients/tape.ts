import type { tf } from "../tf.ts";
import type { Core } from "./config.ts";

type TapeNode = NonNullable<ReturnType<Core["engine"]>["state"]["activeTape"]>[number];

/** Gives unused results (most parts of a split) a gradient of zeros made in the graph; tfjs would make it on the host. */
function withoutHostZeros(core: Core, node: TapeNode): void {
  const { gradient, outputs } = node;
  if (!gradient || outputs.length < 2) return;
  node.gradient = (dys) => gradient(dys.map((dy: tf.Tensor | null, i) => dy ?? core.fill(outputs[i]?.shape ?? [], 0, "float32")));
}

/**
 * Puts a kernel on the tape before the copies of its results that it saves for its own gradient. tfjs records those copies first, and as
 * it looks for what depends on an input in recording order, it takes them for constants: the second derivative of eˣ is then an error,
 * and that of everything whose gradient uses its own result (sigmoid, tanh, softmax, log-softmax, powers, log-sum-exp) silently wrong.
 * A `customGrad` that saves what is neither an input nor its result, as `tf.losses.softmaxCrossEntropy` does, is beyond help.
 */
export function orderTape(core: Core): void {
  const engine = core.engine();
  const record = Reflect.get(engine, "addTapeNode") as (...node: unknown[]) => void;
  Reflect.set(engine, "addTapeNode", (...node: unknown[]): void => {
    record.apply(engine, node);
    const tape = engine.state.activeTape;
    const added = tape?.at(-1);
    if (!tape || !added) return;
    withoutHostZeros(core, added);
    const results = new Set(added.outputs.map(({ id }) => id));
    const saved = Array.isArray(node[4]) ? node[4].length : 0;
    const start = Math.max(0, tape.length - 1 - saved);
    const first = tape.findIndex((other, i) => i >= start && Object.values(other.inputs).some((input) => results.has(input?.id)));
    if (first >= 0) tape.splice(first, 0, ...tape.splice(-1));
  });
}
