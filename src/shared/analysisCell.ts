import { count, number, percent, points } from "./format.ts";
import type { Format, TableCell } from "./results.ts";

/** A figure of an analysis as a person reads it, in a panel and in a report. */
export function cellText(value: TableCell | undefined, format: Format): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value;
  switch (format) {
    case "percent":
      return percent(value);
    case "points":
      return points(value);
    case "difference":
      return value > 0 ? `+${points(value)}` : points(value);
    case "count":
      return count(value);
    case "text":
    case "number":
    case "milliseconds":
      return number(value);
  }
}
