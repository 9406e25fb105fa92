import { list as listEntries } from "../../engine/catalog.ts";
import { checkModel } from "../../engine/jobs/checkModel.ts";
import { doctor as examine } from "../../engine/jobs/doctor.ts";
import { fetch } from "../../engine/jobs/fetch.ts";
import { inspectModel } from "../../engine/jobs/inspectModel.ts";
import type { ParameterSchema } from "../../shared/catalog.ts";
import { type InputContract, inputRangeText } from "../../shared/contract.ts";
import { deviceNote } from "../../shared/devices.ts";
import { bytes, count } from "../../shared/format.ts";
import { checkText } from "../../shared/modelCheck.ts";
import type { ModelInspection } from "../../shared/protocol.ts";
import { printJson, printText, tableText } from "../print.ts";
import type { VerbAction } from "./index.ts";

export const list: VerbAction = async (args) => {
  const entries = listEntries(args.positionals[0]);
  if (args.flag("json")) printJson(entries);
  else
    for (const { kind, id, title, paper, params } of entries) {
      printText(`${kind} ${id}: ${title} (${paper})`);
      for (const [name, schema] of Object.entries(params.properties))
        printText(`    ${name}${valueText(schema)}  ${schema.description ?? ""}`);
    }
  return 0;
};

const valueText = (schema: ParameterSchema): string => (schema.default === undefined ? "" : `=${JSON.stringify(schema.default)}`);

export const doctor: VerbAction = async (args) => {
  const report = await examine();
  if (args.flag("json")) printJson(report);
  else {
    printText(`Bulwark ${report.version}, Node ${report.node}`);
    const { free, total } = report.memory;
    printText(`${bytes(free)} of ${bytes(total)} of memory are free; the images of a batch take a third of that at most`);
    const rows = report.backends.map(({ name, available, device, reason }) => [
      name === report.selected ? `${name} *` : name,
      available ? "ready" : "no",
      device ?? reason ?? "",
    ]);
    printText(tableText(["backend", "state", "device or reason"], rows));
    const devices = report.devices.map((found) => [
      found.name === report.selectedDevice ? `${found.name} *` : found.name,
      found.available ? "ready" : "no",
      deviceNote(found),
    ]);
    printText(tableText(["device", "state", "name or reason"], devices));
    printText("* taken by `auto`");
    if (report.noDecoder) printText(report.noDecoder);
  }
  return 0;
};

export const inspect: VerbAction = async (args, session) => {
  const { contract: given } = await session.engine();
  const model = args.positionals[0] ?? "";
  const inspection = await inspectModel(model, given);
  if (args.flag("json")) printJson({ ...inspection, check: await checkModel({ model, contract: given }, session.context().signal) });
  else {
    const { format, inputShape, classes, parameters, layers, contract, warnings, notes } = inspection;
    const shape = (sides: readonly (number | null)[]): string => sides.map((side) => side ?? "n").join("×");
    printText(`${format}, input ${shape(inputShape)}, ${classes} classes, ${count(parameters)} parameters`);
    printText(
      tableText(
        ["layer", "type", "output", "parameters"],
        layers.map((layer) => [layer.name, layer.type, shape(layer.outputShape), count(layer.parameters)]),
      ),
    );
    printText(`input range ${rangeText(inspection, args.positionals[0] ?? "MODEL")}${channelsText(contract)}`);
    printText(`class names: ${namesText(inspection)}`);
    for (const warning of warnings) printText(`warning: ${warning}`);
    for (const note of notes) printText(`note: ${note}`);
    const check = await checkModel({ model, contract: given }, session.context().signal);
    printText(checkText(check));
    for (const warning of check.warnings ?? []) printText(`warning: ${warning}`);
    for (const note of check.notes) printText(`note: ${note}`);
  }
  return 0;
};

function rangeText({ contract, contractSource }: ModelInspection, model: string): string {
  const range = inputRangeText(contract.input);
  if (contractSource.kind !== "assumed") return `${range} (${contractSource.text})`;
  return `${range} (assumed; run \`bulwark probe ${model} --dataset …\` with labelled pictures to find out)`;
}

const channelsText = ({ input: { channels } }: InputContract): string => (channels === undefined ? "" : `, channels ${channels}`);

const namesShown = 5;

function namesText({ classNames, classNamesSource }: ModelInspection): string {
  if (!classNames || !classNamesSource) return "none known; put them into labels.txt beside the model, one to a line";
  const more = classNames.length > namesShown ? ` … and ${count(classNames.length - namesShown)} more` : "";
  return `${classNames.slice(0, namesShown).join(", ")}${more} (${classNamesSource.text})`;
}

export const fetchData: VerbAction = async (args, session) => {
  const dataset = args.positionals[0] ?? "";
  const result = await fetch({ dataset, workspace: session.workspace, directory: args.text("out") }, session.context());
  if (args.flag("json")) printJson(result);
  else printText(result.path);
  return 0;
};
