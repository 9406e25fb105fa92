import path from "node:path";
import type { ExportPatchParams, ExportPatchResult } from "../../../shared/patch.ts";
import { findPatch, readPatchPicture } from "../../patches/load.ts";
import { writePrint } from "../../patches/print.ts";

/** A patch or sticker as a PNG that prints at a size in centimetres. @throws FILE_NOT_FOUND, IMAGE_INVALID, PARAMETER_INVALID */
export async function exportPatch(p: ExportPatchParams): Promise<ExportPatchResult> {
  const { picture } = await findPatch(p.patch);
  return writePrint(await readPatchPicture(picture), {
    centimetres: p.centimetres,
    dpi: p.dpi ?? 300,
    upscaling: p.upscaling ?? "nearest",
    background: p.background ?? "transparent",
    file: path.resolve(p.file),
  });
}
