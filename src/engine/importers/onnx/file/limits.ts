import { BulwarkError } from "../../../../shared/errors.ts";

/** Far above real networks: the largest one tried, Swin-T, has 6,357 nodes. */
const most = { nodes: 100_000, tensors: 100_000, elements: 1_000_000 } as const;

const deepest = 16;

/** Counts what a file holds, to refuse one made to exhaust memory. */
export class Limits {
  private readonly file: string;
  private depth = 0;
  private readonly counts = { nodes: 0, tensors: 0, elements: 0 };

  constructor(file: string) {
    this.file = file;
  }

  node(): void {
    this.add("nodes", 1);
  }
  tensor(): void {
    this.add("tensors", 1);
  }
  /** Reads a graph within an attribute. */
  within<T>(read: () => T): T {
    if (++this.depth > deepest)
      throw new BulwarkError("MODEL_TOO_LARGE", `${this.file} nests graphs deeper than ${deepest}.`, "Export the model again.");
    const result = read();
    this.depth--;
    return result;
  }
  /** Numbers and names in attributes. */
  elements(count: number): void {
    this.add("elements", count);
  }

  private add(what: keyof typeof most, count: number): void {
    this.counts[what] += count;
    if (this.counts[what] <= most[what]) return;
    const name = what === "elements" ? "numbers in attributes" : what;
    throw new BulwarkError(
      "MODEL_TOO_LARGE",
      `${this.file} has more than ${most[what].toLocaleString("en-GB")} ${name}.`,
      "Check that it is an image classifier, and export it again.",
    );
  }
}
