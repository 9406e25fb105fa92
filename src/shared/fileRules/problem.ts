import type { Node } from "jsonc-parser";
import type { Catalog } from "../catalog.ts";
import type { Severity } from "../results.ts";
import type { ChoiceSite, Span } from "./tree.ts";

/** Replaces `span` by `text`; the title says so in the light bulb. */
export interface Fix {
  readonly title: string;
  readonly span: Span;
  readonly text: string;
  /** The one that Ctrl+. then Enter takes. */
  readonly isPreferred: boolean;
}
export interface Problem {
  /** Rule of the catalogue (RB001 …) or error code. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly fixes: readonly Fix[];
  /** Lines of program text that help, to be copied. */
  readonly snippet?: string;
}

/** An experiment file that is being written: its values, and the registry choices among them. */
export interface ExperimentFile {
  readonly root: Node;
  readonly sites: readonly ChoiceSite[];
  readonly catalog: Catalog;
}

/** The preferred fix that writes another word. */
export const changeTo = (word: string, span: Span): Fix => ({
  title: `Change to "${word}"`,
  span,
  text: JSON.stringify(word),
  isPreferred: true,
});
