import type { RunEvent, RunEventBody } from "../shared/events.ts";
import { duration, number, percent } from "../shared/format.ts";
import { placeOf } from "../shared/results.ts";

const between = 5000; // ms between lines where there is no terminal to rewrite one

/** Progress on stderr: one line that is rewritten on a terminal, a line every few seconds elsewhere. */
export class ProgressLine {
  readonly #mode: "line" | "lines" | "off";
  #shown = false;
  #lastPrinted = Number.NEGATIVE_INFINITY;
  #step = "";

  constructor(mode: "line" | "lines" | "off") {
    this.#mode = mode;
  }

  event(event: RunEvent | RunEventBody): void {
    switch (event.kind) {
      case "started":
      case "resumed":
        this.say(`run ${event.run} on ${event.backend} (${event.device})`);
        break;
      case "phase":
        this.#step = "";
        break;
      case "step":
        this.#step = ` · epoch ${event.epoch}/${event.epochs} · loss ${number(event.loss)} · ${number(event.imagesPerSecond)} images/s`;
        break;
      case "progress": {
        const eta = event.etaSeconds === null ? "" : ` · ${duration(event.etaSeconds)} left`;
        this.#show(
          `${percent(event.overall).padStart(7)}  ${event.phase} ${percent(event.done / Math.max(1, event.total))}${this.#step}${eta}`,
        );
        break;
      }
      case "epoch":
        this.say(
          `${event.arm}: epoch ${event.epoch}/${event.epochs}, loss ${number(event.trainLoss)}${event.validationAccuracy === null ? "" : `, validation ${percent(event.validationAccuracy)}`}${event.quickAttack ? `, ${event.quickAttack.id} success ${percent(event.quickAttack.successRate)}` : ""}`,
        );
        break;
      case "trained":
        this.say(event.reused ? `${event.arm}: trained model reused` : `${event.arm}: trained in ${duration(event.seconds)}`);
        break;
      case "attacked":
        this.say(
          `${event.arm}: ${event.attack}${event.mode === "static" ? ", static" : ""} ${percent(event.cleanAccuracy)} → ${percent(event.attackedAccuracy)} in ${duration(event.seconds)}`,
        );
        break;
      case "warning":
        this.tell(`warning: ${event.message}`);
        break;
      case "note":
        this.tell(`note: ${event.message}`);
        break;
      case "batch":
        this.say(event.message);
        break;
      case "finding":
        this.say(`${[event.finding.rule, placeOf(event.finding)].filter(Boolean).join(" ")}: ${event.finding.message}`);
        break;
    }
  }

  /** A line that stays. */
  say(text: string): void {
    if (this.#mode !== "off") this.tell(text);
  }

  /** A line about what was measured or what to do now: it is there without progress too. */
  tell(text: string): void {
    this.close();
    process.stderr.write(`${text}\n`);
  }

  close(): void {
    if (this.#shown) process.stderr.write("\r\u001b[K");
    this.#shown = false;
  }

  #show(text: string): void {
    if (this.#mode === "off") return;
    if (this.#mode === "line") {
      process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 100) - 1)}`);
      this.#shown = true;
      return;
    }
    if (performance.now() - this.#lastPrinted < between) return;
    this.#lastPrinted = performance.now();
    process.stderr.write(`${text}\n`);
  }
}
