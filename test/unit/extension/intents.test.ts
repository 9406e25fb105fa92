import { describe, expect, it } from "vitest";
import { readMessage } from "../../../src/extension/panels/messages.ts";
import {
  doctorIntents,
  inspectorIntents,
  modelIntents,
  previewIntents,
  reportIntents,
  studioIntents,
  trainingIntents,
} from "../../../src/shared/intents.ts";
import type { Shape } from "../../../src/shared/shapes.ts";

const pick = { id: "fgsm", params: { eps: 0.3 } };
const common = [
  { kind: "save", name: "loss.csv", dataUrl: "data:text/csv,a" },
  { kind: "fix", id: "x" },
  { kind: "showLog" },
  { kind: "openFolder" },
];
const panels: Readonly<Record<string, readonly [Shape<unknown>, readonly Readonly<Record<string, unknown>>[]]>> = {
  inspector: [
    inspectorIntents,
    [
      { kind: "rerun", attack: pick, defenses: [pick] },
      { kind: "fit", rule: "cover" },
      { kind: "export", format: "panel", dataUrl: "data:image/png;base64,AA==" },
      { kind: "export", format: "npz" },
      { kind: "cancelCard", id: "attention" },
      { kind: "card", id: "attention", params: { explanation: null, iteration: 3 } },
      { kind: "card", id: "sequence", params: { explanation: pick } },
      { kind: "card", id: "defense", params: { defenses: [pick], iteration: null } },
      { kind: "card", id: "ranking", params: { patch: "auto", measure: "entropy", order: "asc", reference: "3", onRemainder: "error" } },
      { kind: "card", id: "ranking", params: { patch: 7, measure: "entropy", order: "desc", reference: "3", onRemainder: "reflectPad" } },
      { kind: "card", id: "detection", params: { detector: pick, iteration: null, threshold: { value: 0.5 } } },
      { kind: "card", id: "detection", params: { detector: pick, iteration: null, threshold: { falsePositiveRate: 0.05 } } },
      { kind: "card", id: "calibration", params: { detector: pick, data: null, images: 100 } },
      ...["cancel", "chooseLabel", "chooseModel", "chooseAttack", "chooseClasses", "editContract", "probeContract", "start", "dismiss"].map(
        (kind) => ({ kind }),
      ),
      { kind: "openPatchStudio" },
    ],
  ],
  training: [trainingIntents, ["cancel", "resume", "openReport"].map((kind) => ({ kind }))],
  report: [reportIntents, [{ kind: "openHtml" }, { kind: "inspect", index: 3, arm: "undefended", attack: "pgd-2" }]],
  model: [modelIntents, [...["evaluate", "check", "editContract"].map((kind) => ({ kind })), { kind: "openRun", run: "20260314-x" }]],
  doctor: [
    doctorIntents,
    ["again", "selectBackend", "selectDevice", "installGpuRuntime", "restartEngine", "copy"].map((kind) => ({ kind })),
  ],
  preview: [previewIntents, [{ kind: "again" }, { kind: "open", item: 0 }, { kind: "attack", item: 12 }]],
  patchStudio: [
    studioIntents,
    [
      { kind: "settings", settings: { trainModel: "/w/model.json", limit: 256, params: { target: -1 } } },
      { kind: "settings", settings: {} },
      { kind: "train", goOn: true },
      { kind: "cancel", what: "map" },
      { kind: "image", file: null },
      { kind: "sticker", area: 0.1, target: -1 },
      { kind: "place", placement: { row: 1.5, column: 2, rotation: -30, scale: 1 } },
      { kind: "preview", count: 4, transforms: { rotation: 10, scaleMin: 1, scaleMax: 1 }, seed: 2 },
      { kind: "map", stride: 8, rotation: 0, scale: 1, images: 4 },
      { kind: "export", centimetres: 5, dpi: 300, upscaling: "nearest", background: "white" },
      { kind: "reveal", item: 1 },
      { kind: "chooseFolder" },
      { kind: "choosePatch" },
    ],
  ],
};

/** Everything that one change makes of an intent and that is no intent any more: a field of another type, one left out, one too many. */
function spoiled(intent: Readonly<Record<string, unknown>>): unknown[] {
  const wrong = Object.keys(intent).flatMap((key) => [
    { ...intent, [key]: [["x"]] },
    { ...intent, [key]: Number.NaN },
    ...(key === "dataUrl" && intent["kind"] === "export"
      ? []
      : [Object.fromEntries(Object.entries(intent).filter(([name]) => name !== key))]),
  ]);
  return [
    ...wrong,
    { ...intent, file: "/etc/passwd", extra: 1 },
    [intent],
    JSON.stringify(intent),
    { ...intent, kind: `${intent["kind"]} ` },
  ];
}

describe.each(Object.entries(panels))("the panel %s", (_, [shape, own]) => {
  const read = (intent: unknown) => readMessage(shape, { type: "intent", intent });

  it("takes what its webview says", () => {
    for (const intent of [...own, ...common]) expect(read(intent)).toEqual({ type: "intent", intent });
    expect(readMessage(shape, { type: "ready" })).toEqual({ type: "ready" });
    expect(readMessage(shape, { type: "persist", runId: "r" })).toEqual({ type: "persist", runId: "r" });
  });

  it("drops everything else, and says why", () => {
    for (const intent of [...own, ...common].flatMap(spoiled)) expect([intent, typeof read(intent)]).toEqual([intent, "string"]);
    for (const message of [
      null,
      1,
      "ready",
      [],
      {},
      { type: "go" },
      { type: "intent" },
      { type: "intent", intent: null },
      { type: "persist" },
    ])
      expect([message, typeof readMessage(shape, message)]).toEqual([message, "string"]);
    expect(read(JSON.parse('{"kind":"showLog","__proto__":{"x":1}}'))).toBeTypeOf("string");
  });
});

it("a path in a message is no intent of a panel that shows files by their places", () => {
  expect(readMessage(studioIntents, { type: "intent", intent: { kind: "reveal", file: "/etc/passwd" } })).toMatch(/has no "/);
  expect(readMessage(previewIntents, { type: "intent", intent: { kind: "open", item: "../../etc/passwd" } })).toMatch(
    /must be a whole number/,
  );
});
