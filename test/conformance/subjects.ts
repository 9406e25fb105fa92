import type { TObject } from "@sinclair/typebox";
import type { BackendName } from "../../src/engine/backends/index.ts";
import type { Classifier } from "../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import { type Entry, type Params, resolveParams } from "../../src/engine/define/index.ts";
import { find } from "../../src/engine/registry.ts";
import { plainPlan } from "../../src/engine/training/plan.ts";
import { convNetwork } from "../unit/engine/fixtures.ts";

/** Backends that every machine has after `npm ci`. */
export const backends: readonly BackendName[] = ["cpu", "onnxruntime"];

function volumized(): Classifier {
  const inputShape = [8, 8, 1] as const;
  const defense = find("defense", "volumizedCurriculum");
  if (defense.kind !== "training") throw new Error("volumizedCurriculum is no training defence");
  const params = resolveParams(defense.params, { patch: 4 }, defense.id);
  const plan = defense.plan(plainPlan, params, { inputShape, classes: 3 });
  return classifierOf(plan.network(convNetwork()), {
    contract: { input: {} },
    outputs: "logits",
    plan,
    inputShape,
    defenses: [{ id: defense.id, params }],
  });
}

/** Models that entries are tried on: 8×8 grey images of three classes. */
export const subjects: Readonly<Record<string, () => Classifier>> = {
  plain: () => classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" }),
  volumized,
};

/** Defaults, with numbers of iterations and the like cut down to six. */
export function cheapParams(entry: Entry): Params {
  const given: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(entry.params.properties)) {
    if (property["type"] === "integer" && Number(property["default"]) > 10) given[key] = Math.max(6, Number(property["minimum"] ?? 0));
  }
  return resolveParams(entry.params, given, entry.id);
}

/** Per numeric parameter: its minimum, and values that must be refused. */
export function outOfBounds(schema: TObject): Record<string, { minimum: number | undefined; outside: unknown[] }> {
  const found: Record<string, { minimum: number | undefined; outside: unknown[] }> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    const type: unknown = property["type"];
    const minimum: unknown = property["minimum"];
    const maximum: unknown = property["maximum"];
    const outside: unknown[] = [];
    if (type === "number" || type === "integer") outside.push("many");
    if (type === "integer") outside.push(Number(minimum ?? 0) + 0.5);
    if (typeof minimum === "number") outside.push(minimum - 1);
    if (typeof maximum === "number") outside.push(maximum + 1);
    if (Array.isArray(property["enum"])) outside.push("no such choice");
    if (type === "boolean") outside.push("perhaps");
    found[key] = { minimum: typeof minimum === "number" ? minimum : undefined, outside };
  }
  return found;
}
