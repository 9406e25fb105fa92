import { rb001 } from "./rb001.ts";
import { rb002 } from "./rb002.ts";
import { rb006 } from "./rb006.ts";
import { rb009 } from "./rb009.ts";
import type { FileRule } from "./rule.ts";

// Adding a rule about the file: write its file, add its name here and its line to shared/rules.ts.
export const fileRules: readonly FileRule[] = [rb001, rb002, rb006, rb009];
