import { type PadMode, placeOf } from "../../../models/layers/index.ts";
import type { Node } from "../graph.ts";
import type { Stored } from "../layout.ts";
import { padsOf } from "../shapes/parts.ts";
import { ofData } from "../values.ts";
import { isolated, resized, taken } from "./along.ts";
import { type Lower, type Lowering, plainWeight } from "./lowering.ts";

type Sides = readonly [readonly [number, number], readonly [number, number]];
const isNone = (sides: Sides): boolean => sides.flat().every((side) => side === 0);

/** The last one is TensorFlow's: ONNX has none that repeats the edge. */
const modes = ["reflect", "edge", "wrap", "symmetric"] as const;

/** Rows and columns of an image have layers of their own, other axes are cut and joined one by one. Negative padding cuts. */
export const pad: Lower = (node, o) => {
  const { before, after, mode: name } = padsOf(o.context(node));
  if ([...before, ...after].every((side) => side === 0)) return o.set(node.outputs[0], o.stored(node, 0));
  const mode = name === "constant" ? name : modes.find((one) => one === name);
  if (!mode) return o.refuse(node, `with the mode ${name}`);
  if (before[0] !== 0 || after[0] !== 0) o.refuseMixing(node);
  const value = node.attributes.get("value")?.float ?? (node.inputs[2] ? o.weight(node, 2).data[0] : undefined) ?? 0;
  const isPlane = before.length === 4 && before[1] === 0 && after[1] === 0;
  if (isPlane)
    plane(node, o, {
      sides: [
        [before[2] as number, after[2] as number],
        [before[3] as number, after[3] as number],
      ],
      mode,
      value,
    });
  else axisByAxis(node, o, { before, after, mode, value });
};

interface Padding {
  readonly mode: PadMode;
  readonly value: number;
}

function plane(node: Node, o: Lowering, { sides, mode, value }: Padding & { sides: Sides }): void {
  const cut = sides.map(([a, b]) => [Math.max(0, -a), Math.max(0, -b)]) as unknown as Sides;
  const grown = sides.map(([a, b]) => [Math.max(0, a), Math.max(0, b)]) as unknown as Sides;
  let image = o.image(node);
  if (!isNone(cut)) {
    const ref = o.emit("Cropping2D", node, [image], { suffix: isNone(grown) ? "" : "_cut", config: { cropping: cut } });
    const [b, h, w, c] = image.physical as [number, number, number, number];
    image = { ...image, ref, physical: [b, h - cut[0][0] - cut[0][1], w - cut[1][0] - cut[1][1], c] };
  }
  const isZero = mode === "constant" && value === 0;
  const config = isZero ? { padding: grown } : { mode, value, padding: grown };
  o.setImage(node, isNone(grown) ? image.ref : o.emit(isZero ? "ZeroPadding2D" : "Pad2D", node, [image], { config }));
}

function axisByAxis(node: Node, o: Lowering, p: Padding & { before: readonly number[]; after: readonly number[] }): void {
  let name = node.inputs[0] as string;
  p.before.forEach((a, axis) => {
    const b = p.after[axis] as number;
    if (a === 0 && b === 0) return;
    const made = `${node.outputs[0]}/${axis}`;
    o.set(made, along({ ...node, inputs: [name] }, o, { ...p, axis, a, b }));
    name = made;
  });
  o.set(node.outputs[0], o.stored({ ...node, inputs: [name] }, 0));
}

function along(node: Node, o: Lowering, { axis, a, b, mode, value }: Padding & { axis: number; a: number; b: number }): Stored {
  let at = isolated(node, 0, axis, o);
  const side = at.value.sizes[at.factor] as number;
  const [start, end] = [Math.max(0, -a), Math.max(0, -b)];
  if (start + end > 0) at = { ...at, value: taken(at, { axis, start, step: 1, size: side - start - end }, node, o, `_cut${axis}`) };
  const left = side - start - end;
  const [first, last] = [Math.max(0, a), Math.max(0, b)];
  if (first + last === 0) return at.value;
  if (mode !== "constant") {
    const indices = Array.from({ length: first + left + last }, (_, i) => placeOf[mode](i - first, left));
    const ref = o.emit("GatherConstant", node, [at.value], { suffix: `_pad${axis}`, config: { axis: at.group, indices } });
    return resized(at, ref, indices.length);
  }
  for (const [count, isFirst] of [
    [first, true],
    [last, false],
  ] as const) {
    if (count === 0) continue;
    const shape = at.value.physical.with(at.group, count).slice(1);
    const filled = ofData("float", [], Float32Array.of(value));
    const config = { axis: at.group, shape, at_start: isFirst, trainable: false };
    const ref = o.emit("AppendConstant", node, [at.value], {
      suffix: `_pad${axis}`,
      config,
      weights: [plainWeight("constant", filled, shape)],
    });
    at = { ...at, value: resized(at, ref, (at.value.sizes[at.factor] as number) + count) };
  }
  return at.value;
}
