import type { ComparingRule } from "./compare.ts";
import type { ArmEvidence, AttackEvidence, DetectorEvidence, ModelEvidence, RunEvidence } from "./evidence.ts";
import { rb008 } from "./rb008.ts";
import { rb101 } from "./rb101.ts";
import { rb102 } from "./rb102.ts";
import { rb103 } from "./rb103.ts";
import { rb104 } from "./rb104.ts";
import { rb105 } from "./rb105.ts";
import { rb106 } from "./rb106.ts";
import { rb107 } from "./rb107.ts";
import { rb108 } from "./rb108.ts";
import { rb110 } from "./rb110.ts";
import { rb111 } from "./rb111.ts";
import { rb112 } from "./rb112.ts";
import { rb113 } from "./rb113.ts";
import { rb114 } from "./rb114.ts";
import { rb115 } from "./rb115.ts";
import { rb201 } from "./rb201.ts";
import { rb202 } from "./rb202.ts";
import { rb203 } from "./rb203.ts";
import { rb204 } from "./rb204.ts";
import { rb206 } from "./rb206.ts";
import { rb209 } from "./rb209.ts";
import { rb210 } from "./rb210.ts";
import { rb301 } from "./rb301.ts";
import { rb302 } from "./rb302.ts";
import { rb303 } from "./rb303.ts";
import { rb304 } from "./rb304.ts";
import { rb307 } from "./rb307.ts";
import { rb309 } from "./rb309.ts";
import { rb402 } from "./rb402.ts";
import { rb403 } from "./rb403.ts";
import { rb404 } from "./rb404.ts";
import { rb407 } from "./rb407.ts";
import { rb501 } from "./rb501.ts";
import { rb507 } from "./rb507.ts";
import type { Rule } from "./rule.ts";

// Adding a rule: write its file, add its name to the list of its evidence and its line to shared/rules.ts. Rules about the experiment
// file, which need no run, are in shared/fileRules.
export const modelRules: readonly Rule<ModelEvidence>[] = [rb101, rb102, rb103, rb104, rb108, rb111, rb112, rb114, rb115];
export const attackRules: readonly Rule<AttackEvidence>[] = [rb201, rb202, rb203, rb204, rb209, rb210, rb501];
export const pairRules: readonly ComparingRule[] = [rb008, rb301, rb303, rb307, rb309];
/** Also over attacks that analyses asked for: those of a curve. */
export const curveRules: readonly ComparingRule[] = [rb302, rb304];
export const armRules: readonly Rule<ArmEvidence>[] = [rb105, rb106, rb107, rb110, rb113, rb206, rb407];
export const detectorRules: readonly Rule<DetectorEvidence>[] = [rb402, rb403, rb404];
export const runRules: readonly Rule<RunEvidence>[] = [rb507];
