import type { Kind } from "../kind.ts";
import { arrays, labels, records } from "./datasets.ts";
import { experiment, resumedRun, runFolder } from "./documents.ts";
import { images } from "./images.ts";
import { messages } from "./messages.ts";
import { contract, keras, model, onnx, weights } from "./models.ts";
import { requests } from "./requests.ts";

export const kinds: readonly Kind[] = [
  ...[model, weights, contract, onnx, keras],
  ...[images, arrays, records, labels],
  ...[experiment, runFolder, resumedRun, requests, messages],
];
