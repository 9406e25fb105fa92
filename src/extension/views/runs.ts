import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { duration, progressPercent } from "../../shared/format.ts";
import { age } from "../age.ts";
import type { QueuedJob } from "../engine/queue.ts";
import type { Services } from "../services.ts";
import type { RunEntry } from "./runIndex.ts";
import { createTree, row, type Tree, type TreeNode } from "./tree.ts";

const icons: Readonly<Record<RunEntry["state"]["status"], readonly [icon: string, color?: string]>> = {
  running: ["sync~spin"],
  done: ["pass", "testing.iconPassed"],
  failed: ["error", "testing.iconFailed"],
  cancelled: ["circle-slash"],
  interrupted: ["debug-pause", "testing.iconQueued"],
  elsewhere: ["remote"],
};
const statusText: Partial<Record<RunEntry["state"]["status"], string>> = { elsewhere: "running on another machine" };
const experiments = new Set(["experiment", "train", "evaluate"]);

/** Experiments on the first level; attacks on single images would drown them and are kept together. */
export function runsTree(services: Services): Tree {
  return createTree(async () => {
    const runs = await services.runs.all();
    const known = new Set(runs.map((run) => run.id));
    const { active, waiting } = services.queue;
    const starting = [...(active && !known.has(active.id) ? [active] : []), ...waiting.filter((job) => !known.has(job.id))];
    const single = runs.filter((run) => !experiments.has(run.state.kind));
    const nodes = runs.filter((run) => experiments.has(run.state.kind)).map(runNode);
    return [...starting.map(waitingNode), ...nodes, ...(single.length > 0 ? [singleNode(single)] : [])];
  });
}

function singleNode(runs: readonly RunEntry[]): TreeNode {
  const item = row("Single images", {
    id: "single",
    description: String(runs.length),
    icon: "file-media",
    context: "group",
    state: vscode.TreeItemCollapsibleState.Collapsed,
  });
  return { item, children: async () => runs.map(runNode) };
}

function waitingNode(job: QueuedJob): TreeNode {
  return { item: row(job.title, { id: job.id, description: "waiting", icon: "watch", context: "run.waiting.experiment" }), run: job.id };
}

export function runNode(run: RunEntry): TreeNode {
  const { state, live, id } = run;
  const [icon, color] = icons[state.status];
  const kind = experiments.has(state.kind) ? "experiment" : state.kind;
  const item = row(state.title, {
    id,
    description: describe(run),
    tooltip: state.error ? `${state.error.code}: ${state.error.message} ${state.error.fix ?? ""}` : `${id}${live ? `\n${live.phase}` : ""}`,
    icon,
    ...(color === undefined ? {} : { color }),
    context: `run.${state.status}.${kind}`,
    command: { command: commands.openRun, title: "Open", arguments: [id] },
  });
  return { item, run: id, uri: vscode.Uri.file(run.directory) };
}

function describe({ state, live }: RunEntry): string {
  if (state.status === "running") {
    const eta = live?.etaSeconds === undefined || live.etaSeconds === null ? "" : ` · ${duration(live.etaSeconds)} left`;
    return `${progressPercent(live?.overall ?? state.progress)}${eta}`;
  }
  const status =
    state.status === "done"
      ? (state.headline ?? "")
      : (statusText[state.status] ?? (state.error?.code === "RUN_INVALID" ? "damaged" : state.status));
  return [status, age(state.createdAt)].filter((part) => part !== "").join(" · ");
}
