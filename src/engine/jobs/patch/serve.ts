import type { MessageConnection } from "vscode-jsonrpc";
import { patchSuccessMapProgress, requests, trainPatchProgress } from "../../../shared/protocol.ts";
import type { RunContext } from "../../context.ts";
import type { Answer } from "../../server.ts";
import type { Engine } from "../../session/engine.ts";
import { applyPatch } from "./applyPatch.ts";
import { exportPatch } from "./exportPatch.ts";
import { previewPatch } from "./previewPatch.ts";
import { patchSuccessMap } from "./successMap.ts";
import { trainPatch } from "./trainPatch.ts";

interface Host {
  readonly connection: MessageConnection;
  engine(): Promise<Engine>;
  context(signal: AbortSignal, seed?: number): RunContext;
}

/** The requests of the Patch Studio. */
export function servePatches(on: Answer, { connection, engine, context }: Host): void {
  on(requests.trainPatch, async (params, signal) =>
    trainPatch(params, await engine(), context(signal, params.seed), (update) => {
      void connection.sendProgress(trainPatchProgress, params.token, update);
    }),
  );
  on(requests.applyPatch, async (params) => applyPatch(params, await engine()));
  on(requests.previewPatch, async (params, signal) => previewPatch(params, await engine(), context(signal, params.seed)));
  on(requests.patchSuccessMap, async (params, signal) =>
    patchSuccessMap(params, await engine(), context(signal), (update) => {
      void connection.sendProgress(patchSuccessMapProgress, params.token, update);
    }),
  );
  on(requests.exportPatch, (params) => exportPatch(params));
}
