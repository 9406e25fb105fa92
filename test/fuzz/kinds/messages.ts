import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TSchema } from "@sinclair/typebox";
import { BulwarkError } from "../../../src/shared/errors.ts";
import {
  doctorIntents,
  inspectorIntents,
  modelIntents,
  previewIntents,
  reportIntents,
  studioIntents,
  trainingIntents,
} from "../../../src/shared/intents.ts";
import { misfit } from "../../../src/shared/shapes.ts";
import { damagedValue, oneOf } from "../damage.ts";
import type { Kind } from "../kind.ts";

const shapes: Readonly<Record<string, TSchema>> = {
  ...{ inspectorIntents, trainingIntents, reportIntents, modelIntents, doctorIntents, previewIntents, studioIntents },
};
const pick = { id: "pgd", params: { eps: 0.1 } };
const placement = { row: 4, column: 5, rotation: 10, scale: 1 };

/** What webviews say, by the name of what checks it in the host. */
const said: Readonly<Record<string, readonly object[]>> = {
  inspectorIntents: [
    { kind: "card", id: "attention", params: { explanation: { id: "gradCam", params: {} }, iteration: 3 } },
    { kind: "card", id: "ranking", params: { patch: "auto", measure: "entropy", order: "asc", reference: "mean", onRemainder: "error" } },
    { kind: "card", id: "detection", params: { detector: pick, iteration: null, threshold: { value: 0.5 } } },
    { kind: "rerun", attack: pick, defenses: [pick] },
    { kind: "export", format: "png", dataUrl: "data:image/png;base64,AAAA" },
    { kind: "fit", rule: "cover" },
    { kind: "chooseLabel" },
  ],
  trainingIntents: [{ kind: "cancel" }, { kind: "save", name: "loss.csv", dataUrl: "data:text/csv,1" }],
  reportIntents: [{ kind: "inspect", index: 3, arm: "undefended", attack: "pgd" }, { kind: "openHtml" }],
  modelIntents: [{ kind: "openRun", run: "20260101-000000-x" }, { kind: "evaluate" }],
  doctorIntents: [{ kind: "copy" }, { kind: "fix", id: "x" }],
  previewIntents: [{ kind: "open", item: 2 }],
  studioIntents: [
    { kind: "settings", settings: { limit: 4, params: { area: 0.1 } } },
    { kind: "place", placement },
    { kind: "preview", count: 8, transforms: { rotation: 20, scaleMin: 0.9, scaleMax: 1.1 }, seed: 1 },
    { kind: "export", centimetres: 10, dpi: 300, upscaling: "nearest", background: "white" },
  ],
};

/** Messages of webviews: each fits the shape of its panel, or is refused with a sentence. */
export const messages: Kind = {
  name: "messages",
  async prepare() {
    return {
      write(folder, random) {
        const panel = oneOf(random, Object.keys(said));
        const intent = structuredClone(oneOf(random, said[panel] as readonly object[]));
        writeFileSync(path.join(folder, "message.json"), JSON.stringify({ panel, ...damagedValue({ intent }, random) }));
      },
      async open(folder) {
        const { panel, intent } = JSON.parse(readFileSync(path.join(folder, "message.json"), "utf8")) as { panel: string; intent: unknown };
        const wrong = misfit(shapes[panel] as TSchema, intent);
        if (wrong !== null) throw new BulwarkError("PARAMETER_INVALID", wrong, "The host drops it.");
      },
    };
  },
};
