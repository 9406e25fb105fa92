import path from "node:path";
import { runFiles } from "../../shared/runs.ts";
import { isRecord } from "../files.ts";
import { openStudio, type StudioSubject } from "../panels/studio/studio.ts";
import type { Services } from "../services.ts";
import { isImage, toPath } from "../workspace.ts";

/** With an image to place a patch on, a model to train it for, or a patch.json; or with nothing. */
export async function openPatchStudio(services: Services, resource?: unknown, options?: unknown): Promise<void> {
  const studio = await openStudio(services);
  await studio.about({ ...subjectOf(toPath(resource)), ...modelOf(options) });
}

/** `{model}` from the Inspector or a script; menus hand other things as second argument. */
const modelOf = (options: unknown): StudioSubject =>
  isRecord(options) && typeof options["model"] === "string" && options["model"] !== "" ? { model: options["model"] } : {};

function subjectOf(file: string | undefined): StudioSubject {
  if (file === undefined) return {};
  const name = path.basename(file);
  if (name === runFiles.patchDocument || name === runFiles.patch) return { patch: file };
  return isImage(file) ? { image: file } : { model: file };
}
