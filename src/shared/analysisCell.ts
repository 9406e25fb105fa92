import { count, number, percent, points } from "./format.ts";

/** `points`: a difference of shares in percentage points; `difference`: the same with its sign. */
export type Format = "text" | "percent" | "points" | "difference" | "number" | "milliseconds" | "count";
/** Shares are in [0,1], differences of shares too; `null` is "not measured". */
export type TableCell = string | number | null;

/** A table as it is read: in a panel, in a report, on the command line. */
export interface TextTable {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure of an analysis as a person reads it, in a panel and in a report. `decimals` are those of percentages. */
export function cellText(value: TableCell | undefined, format: Format, decimals = 1): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value;
  switch (format) {
    case "percent":
      return percent(value, decimals);
    case "points":
      return points(value, decimals);
    case "difference":
      return value > 0 ? `+${points(value, decimals)}` : points(value, decimals);
    case "count":
      return count(value);
    case "text":
    case "number":
    case "milliseconds":
      return number(value);
  }
}
