import { createInterface } from "node:readline/promises";
import { probeContract, writeProbe } from "../../engine/jobs/probeContract.ts";
import { count, percent, plural } from "../../shared/format.ts";
import type { ContractProbe, ProbeCandidate } from "../../shared/probe.ts";
import { printJson, printText, tableText } from "../print.ts";
import type { VerbAction } from "./index.ts";

/** Labelled pictures that are enough to tell ranges apart, and often the order of colours. */
const usual = 64;
const shown = 8;

export const probe: VerbAction = async (args, session) => {
  const params = {
    model: args.positionals[0] ?? "",
    dataset: args.dataset() ?? args.required("dataset"),
    split: args.oneOf("split", ["test", "train"], "test"),
    limit: args.integer("limit", 1) ?? usual,
    seed: session.seed,
    workspace: session.workspace,
  };
  const found = await probeContract(params, await session.engine(), session.context(), ({ done, total }) =>
    session.onEvent({ kind: "progress", phase: "Probing", done, total, etaSeconds: null, overall: done / total }),
  );
  session.close();
  const isJson = args.flag("json");
  if (!isJson) print(found);
  const writes = found.contract !== null && (args.flag("write") || (!isJson && (await confirmed())));
  const written = writes ? await writeProbe(found) : null;
  if (isJson) printJson({ ...found, written });
  else if (written) printText(`written: ${written}`);
  return 0;
};

/** Asked on a terminal alone; elsewhere nothing is written without --write. */
async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    printText("Nothing was written; --write does.");
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question("Write this into the input contract beside the model? y/N ");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

function print({ n, chance, decided, best, candidates, notes, evidence, cannotTell, findings }: ContractProbe): void {
  const rows = candidates
    .slice(0, shown)
    .map((one) => [one.id, one.range, `${one.hits} of ${one.n}`, interval(one), one.calibratedLogP.toFixed(2), against(one)]);
  printText(tableText(["candidate", "model sees", "correct", "99 % interval", "calibrated log p", "P against the best"], rows));
  if (candidates.length > shown) printText(`and ${count(candidates.length - shown)} more candidates`);
  printText(`${plural(n, "labelled image")}, chance ${percent(chance)}`);
  for (const note of notes) printText(`note: ${note}`);
  for (const { strength, text } of evidence) printText(`evidence (${strength}): ${text}`);
  for (const reason of cannotTell) printText(`cannot tell: ${reason}`);
  for (const { rule, message, fix } of findings) printText(`${rule}: ${message} ${fix}`);
  printText(decided ? `decided: ${best}` : "decided: nothing");
}

const interval = ({ interval: [low, high] }: ProbeCandidate): string => `${percent(low)}–${percent(high)}`;
const standings = {
  best: "–",
  beaten: "",
  contradicted: " (batch normalisation contradicts it)",
  near: " (near the best, seldom used)",
  open: " (cannot tell)",
};
const against = ({ p, standing }: ProbeCandidate): string => `${p === null ? "" : p.toPrecision(2)}${standings[standing]}`;
