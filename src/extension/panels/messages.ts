import type { FromWebview } from "../../shared/panels.ts";
import { misfit, type Shape } from "../../shared/shapes.ts";
import { isRecord } from "../files.ts";

/** A message of a webview, checked against what its panel may be asked for; for anything else, a sentence that says what is wrong with it. */
export function readMessage<Intent>(intents: Shape<Intent>, message: unknown): FromWebview<Intent> | string {
  if (!isRecord(message)) return "it is no object";
  const { type, runId, intent } = message;
  if (type === "ready") return { type };
  if (type === "persist") return typeof runId === "string" ? { type, runId } : "it keeps no run";
  if (type !== "intent") return "it is of no known type";
  const wrong = misfit(intents, intent);
  return wrong ?? { type, intent: intent as Intent }; // the shape is that of the type
}
