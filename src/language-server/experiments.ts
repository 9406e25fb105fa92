import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { getLanguageService, type LanguageService } from "vscode-json-languageservice";
import {
  type CodeAction,
  CodeActionKind,
  type CompletionList,
  type Diagnostic,
  DiagnosticSeverity,
  type Hover,
  type Position,
  type Range,
} from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Catalog } from "../shared/catalog.ts";
import { commands } from "../shared/contributions.ts";
import { experimentSchema } from "../shared/experiment.ts";
import type { Problem } from "../shared/fileRules/problem.ts";
import { parseExperiment, type Span } from "../shared/fileRules/tree.ts";
import type { Severity } from "../shared/results.ts";
import { lastReportOf } from "./results.ts";
import { runFindings } from "./runFindings.ts";
import { type Disk, problemsOf } from "./semantics.ts";
import { shapeProblems } from "./shape.ts";

/** Everything that the editor asks about experiment files. */
export interface Experiments {
  diagnose(document: TextDocument): Promise<Diagnostic[]>;
  actions(document: TextDocument, range: Range): CodeAction[];
  complete(document: TextDocument, position: Position): Promise<CompletionList | null>;
  hover(document: TextDocument, position: Position): Promise<Hover | null>;
  /** Line on which the experiment's object begins. */
  firstLine(document: TextDocument): number;
}

const disk: Disk = {
  exists: existsSync,
  names: (directory) => {
    try {
      return readdirSync(directory);
    } catch {
      return [];
    }
  },
};
const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

export function createExperiments(catalog: Catalog): Experiments {
  const service = languageService(catalog);
  const problems = (document: TextDocument): Problem[] =>
    problemsOf({ text: document.getText(), directory: path.dirname(fileURLToPath(document.uri)), catalog, disk });
  const ofLastRun = (document: TextDocument): Problem[] => runFindings(document.getText(), lastReportOf(fileURLToPath(document.uri)));
  const rangeOf = (document: TextDocument, { offset, length }: Span): Range => ({
    start: document.positionAt(offset),
    end: document.positionAt(offset + length),
  });
  const toDiagnostic = (document: TextDocument, problem: Problem): Diagnostic => ({
    range: rangeOf(document, problem.span),
    severity: severities[problem.severity],
    source: "bulwark",
    code: problem.code,
    message: problem.message,
  });
  const shape = (document: TextDocument): Problem[] => shapeProblems(document.getText(), catalog);
  return {
    async diagnose(document) {
      const own = problems(document).map((problem) => toDiagnostic(document, problem));
      const options = { comments: "ignore", trailingCommas: "ignore" } as const;
      const syntax = await service.doValidation(document, service.parseJSONDocument(document), options, {});
      const others = shape(document).map((problem) => toDiagnostic(document, problem));
      // Those that know a quick fix come first.
      const isNews = (diagnostic: Diagnostic): boolean => !own.some((other) => isSame(other.range, diagnostic.range));
      const found = ofLastRun(document).map((problem) => toDiagnostic(document, problem));
      const broken = syntax.filter(({ range }) => !others.some((other) => overlaps(other.range, range)));
      return [...own, ...others.filter(isNews), ...found, ...broken.map((diagnostic) => ({ ...diagnostic, source: "bulwark" }))];
    },
    actions(document, range) {
      const own = problems(document);
      const isNews = ({ span }: Problem): boolean => !own.some((other) => other.span.offset === span.offset);
      return [...own, ...shape(document).filter(isNews), ...ofLastRun(document)]
        .filter((problem) => overlaps(rangeOf(document, problem.span), range))
        .flatMap((problem) => [
          ...problem.fixes.map((fix) => ({
            title: fix.title,
            kind: CodeActionKind.QuickFix,
            isPreferred: fix.isPreferred,
            diagnostics: [toDiagnostic(document, problem)],
            edit: { changes: { [document.uri]: [{ range: rangeOf(document, fix.span), newText: fix.text }] } },
          })),
          ...(problem.snippet === undefined ? [] : [copies(problem.snippet, toDiagnostic(document, problem))]),
        ]);
    },
    complete: async (document, position) => service.doComplete(document, position, service.parseJSONDocument(document)),
    hover: async (document, position) => service.doHover(document, position, service.parseJSONDocument(document)),
    firstLine: (document) => document.positionAt(parseExperiment(document.getText())?.offset ?? 0).line,
  };
}

const copies = (snippet: string, diagnostic: Diagnostic): CodeAction => ({
  title: copySnippetTitle,
  kind: CodeActionKind.QuickFix,
  diagnostics: [diagnostic],
  command: { title: copySnippetTitle, command: commands.copySnippet, arguments: [snippet] },
});
const copySnippetTitle = "Copy the export snippet";

function languageService(catalog: Catalog): LanguageService {
  const service = getLanguageService({});
  const schema = experimentSchema(catalog);
  service.configure({ allowComments: true, validate: true, schemas: [{ uri: "bulwark://schema/experiment", fileMatch: ["*"], schema }] });
  return service;
}

const isBefore = (a: Position, b: Position): boolean => a.line < b.line || (a.line === b.line && a.character < b.character);
const overlaps = (a: Range, b: Range): boolean => !isBefore(a.end, b.start) && !isBefore(b.end, a.start);
const isSame = (a: Range, b: Range): boolean =>
  !isBefore(a.start, b.start) && !isBefore(b.start, a.start) && !isBefore(a.end, b.end) && !isBefore(b.end, a.end);
