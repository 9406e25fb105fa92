import { afterEach, describe, expect, it, vi } from "vitest";
import { ProgressLine } from "../../../src/cli/progress.ts";
import type { RunEventBody } from "../../../src/shared/events.ts";

afterEach(() => vi.restoreAllMocks());

/** What stands on stderr after the event. */
function printed(event: RunEventBody): string {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  new ProgressLine("lines").event(event);
  const text = write.mock.calls.map(([chunk]) => String(chunk)).join("");
  write.mockRestore();
  return text;
}

describe("the progress line", () => {
  it("says of an attack that it did not know the defence", () => {
    const attacked = { kind: "attacked", arm: "bits", attack: "pgd-2", cleanAccuracy: 0.95, attackedAccuracy: 0.75 } as const;
    const line = (mode: "adaptive" | "static") => printed({ ...attacked, mode, successRate: 0.2, seconds: 3 });
    expect(line("static")).toMatch(/^bits: pgd-2, static 95\.0 % → 75\.0 % in /);
    expect(line("adaptive")).toMatch(/^bits: pgd-2 95\.0 % → 75\.0 % in /);
  });

  it("says which arm and attack a finding is about", () => {
    const finding = { rule: "RB008", severity: "warning", message: "It shows little.", fix: "Attack it." } as const;
    const placed = { ...finding, arm: "bits", attack: "pgd", attackKey: "pgd-2" };
    expect(printed({ kind: "finding", finding: placed })).toBe("RB008 bits · pgd-2: It shows little.\n");
    expect(printed({ kind: "finding", finding })).toBe("RB008: It shows little.\n");
  });

  it("without progress still says what was decided and what is doubtful", () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const line = new ProgressLine("off");
    line.event({ kind: "progress", phase: "Attacking", done: 1, total: 2, etaSeconds: null, overall: 0.5 });
    line.event({ kind: "note", message: "2 files were skipped." });
    line.event({ kind: "warning", message: "It is slow." });
    line.say("run x");
    expect(write.mock.calls.map(([chunk]) => String(chunk))).toEqual(["note: 2 files were skipped.\n", "warning: It is slow.\n"]);
  });
});
