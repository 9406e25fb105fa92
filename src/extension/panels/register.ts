import type { Services } from "../services.ts";
import { doctorPanel } from "./doctor.ts";
import { inspectorPanel } from "./inspector/inspector.ts";
import { modelPanel } from "./model.ts";
import { previewPanel } from "./preview.ts";
import { reportPanel } from "./report.ts";
import { studioPanel } from "./studio/studio.ts";
import { trainingPanel } from "./training.ts";

/** Lets every kind of panel come back after a window reload. */
export function registerPanels(services: Services): void {
  for (const kind of [inspectorPanel, trainingPanel, reportPanel, studioPanel, modelPanel, doctorPanel, previewPanel])
    kind.register(services);
}
