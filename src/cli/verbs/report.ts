import { renderReport, reportFormats } from "../../engine/report/reportFiles.ts";
import { printJson, printText } from "../print.ts";
import type { VerbAction } from "./index.ts";

export const report: VerbAction = async (args) => {
  const [directory = ""] = args.positionals;
  const format = args.oneOf("format", reportFormats, "html");
  const path = await renderReport(directory, format);
  if (args.flag("json")) printJson({ format, path });
  else printText(path);
  return 0;
};
