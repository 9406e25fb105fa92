import { readFileSync, readlinkSync } from "node:fs";
import os from "node:os";
import { type Machine, machineOf } from "../../shared/driver.ts";

const orNull = (look: () => string): string | null => {
  try {
    return look();
  } catch {
    return null;
  }
};

/** Signal 0 is none: it asks whether there is such a process. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM"; // there, but somebody else's
  }
}

export const thisMachine = (): Machine =>
  machineOf({
    host: os.hostname(),
    read: (file) => orNull(() => readFileSync(file, "utf8")),
    link: (file) => orNull(() => readlinkSync(file)),
    isThere,
  });
