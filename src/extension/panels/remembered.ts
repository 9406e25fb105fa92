import { createHash } from "node:crypto";
import type { Services } from "../services.ts";

const key = "pages";
/** Pages that are kept; older ones are forgotten first. */
const mostPages = 50;
type Pages = Readonly<Record<string, string>>;

/**
 * Writes down what a page shows and gives the word by which its webview remembers it over a reload. A webview never names a path itself:
 * what comes back is looked up here, in the memory of the window, which no file of the workspace can change.
 */
export function rememberPage({ context }: Services, subject: string): string {
  const id = createHash("sha256").update(subject).digest("hex").slice(0, 16);
  const { [id]: _, ...others } = pagesOf(context.workspaceState);
  const kept = Object.entries(others).slice(1 - mostPages);
  void context.workspaceState.update(key, { ...Object.fromEntries(kept), [id]: subject });
  return id;
}

/** What a page showed before the reload; undefined for a word that nobody gave. */
export const recallPage = ({ context }: Services, id: string): string | undefined =>
  new Map(Object.entries(pagesOf(context.workspaceState))).get(id);

const pagesOf = (memory: { get<T>(key: string): T | undefined }): Pages => memory.get<Pages>(key) ?? {};
