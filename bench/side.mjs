import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * One side of a row: a process that prepares the work, then does it whenever it is asked. It answers lines of JSON:
 * {warm, …} (milliseconds of a call) or {missing: why} at the start, {wall, cpu} in milliseconds a call for a number of calls, {peak} in MB at the end.
 */
export class Side {
  #child;
  #answers;
  #errors = "";

  constructor(command, args, environment) {
    this.#child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.on("data", (text) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    this.#child.stdin.on("error", () => undefined); // the process has ended; its missing answer says so
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async answer() {
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) throw new Error(`A process of the benchmark has ended: ${this.#errors.trim().split("\n").at(-1)}`);
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }

  ask(request) {
    this.#child.stdin.write(`${request}\n`);
    return this.answer();
  }

  /** Peak resident memory, in MB. */
  async end() {
    const { peak } = await this.ask("end");
    this.#child.stdin.end();
    return peak;
  }

  stop() {
    this.#child.kill();
  }
}
