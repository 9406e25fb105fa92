// What a model's page costs: processor and wall time until the engine has answered `inspectModel`, in a process that did nothing before and
// once more in the same, and until it has answered `checkModel` (`npm run build` first). Usage: node bench/modelPage.mjs FILE…
import { fork } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Seconds of processor time of a process and its threads; undefined where the system does not say. */
function processorTime(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

const peak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

async function measure(file) {
  const engine = fork(path.join(root, "dist/engine.cjs"), [], { stdio: ["ignore", "ignore", "inherit", "ipc"], serialization: "advanced" });
  const open = new Map();
  engine.on("message", ({ id, result, error }) => {
    open.get(id)?.(error ? new Error(error.message) : result);
    open.delete(id);
  });
  let last = 0;
  const request = async (method, params) => {
    const [wall, processor] = [performance.now(), processorTime(engine.pid)];
    const id = ++last;
    const answer = new Promise((resolve) => open.set(id, resolve));
    engine.send({ jsonrpc: "2.0", id, method, params: [params] });
    const result = await answer;
    if (result instanceof Error) throw result;
    return { result, wall: (performance.now() - wall) / 1000, processor: processorTime(engine.pid) - processor };
  };
  await request("handshake", { backend: "auto", device: "auto", protocol: 1 });
  const say = (what, { wall, processor }) =>
    console.log(
      `${what.padEnd(28)} ${processor.toFixed(2)} s processor, ${wall.toFixed(2)} s wall, peak ${peak(engine.pid).toFixed(0)} MB`,
    );
  console.log(`${path.basename(file)}: ${(statSync(file).size / 1e6).toFixed(0)} MB`);
  say("  page, first", await request("inspectModel", { model: file }));
  say("  page, again", await request("inspectModel", { model: file }));
  const check = await request("checkModel", { model: file, token: "bench" });
  say("  check", check);
  console.log(`  ${JSON.stringify(check.result)}`);
  engine.kill();
}

for (const file of process.argv.slice(2)) await measure(path.resolve(file));
