import { type Names, namesOf } from "../../src/shared/labels.ts";
import type { ReportState } from "../../src/shared/panels.ts";
import type { RunReport } from "../../src/shared/results.ts";
import { type Overview, overview } from "./tables.ts";

/** What every section of the Report draws from. */
export interface ReportContext {
  readonly state: ReportState;
  readonly report: RunReport;
  readonly names: Names;
  readonly overview: Overview;
}

/** Null where the run has no report yet. */
export function contextOf(state: ReportState): ReportContext | null {
  const { report, ledger } = state;
  return report && { state, report, names: namesOf(report), overview: overview(report, ledger) };
}
