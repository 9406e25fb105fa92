import "vscode-jsonrpc/node"; // installs the timers that a connection needs
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { MessageConnection } from "vscode-jsonrpc";
import { serve } from "../../../src/engine/server.ts";
import { requests as methods, protocolVersion } from "../../../src/shared/protocol.ts";
import { connect, fromResponseError, portPair } from "../../../src/shared/rpc.ts";
import { damagedValue, oneOf } from "../damage.ts";
import type { Kind } from "../kind.ts";
import { pictures, writeTfjs } from "../originals.ts";

const pick = (id: string, params: object = {}): object => ({ id, params });
const inspected = {
  image: "./x.png",
  model: "./model.json",
  fit: "cover",
  defenses: [],
  seed: 1,
  run: "./run",
  iteration: null,
  folder: "c",
};
const patched = { model: "./model.json", images: { files: ["./x.png"] }, patch: "./x.png", directory: "./patch", workspace: "./" };

/** What each request asks for; "./" is the folder of the input. */
const asked: Readonly<Record<string, object>> = {
  list: { experiment: "./e.bulwark.jsonc" },
  inspectModel: { model: "./model.json" },
  checkModel: { model: "./model.json", token: "t" },
  classLists: { model: "./model.json", files: ["./model.bulwark.json"] },
  previewDataset: { dataset: "imageFolder:./", workspace: "./", directory: "./preview", limit: 4 },
  warmUp: { model: "./model.json" },
  attackImage: {
    ...{ image: "./x.png", model: "./model.json", attack: pick("fgsm", { eps: 0.1 }), defenses: [pick("bitDepth")] },
    ...{ label: 1, fit: "cover", seed: 1, directory: "./run", token: "t" },
  },
  estimateAttack: { model: "./model.json", attack: pick("pgd", { steps: 2 }), defenses: [] },
  labelRun: { directory: "./run", label: 1 },
  explainRun: { ...inspected, explanation: pick("gradCam"), token: "t" },
  defendRun: { ...inspected, chain: [pick("medianFilter", { window: 3 })] },
  detectRun: { ...inspected, detector: pick("dropoutUncertainty", { samples: 3 }), token: "t" },
  rankPatches: { image: "./x.png", patch: 7, measure: "entropy", order: "asc", reference: "mean", directory: "./rank" },
  previewPatch: { ...patched, sticker: { area: 0.1, target: 1 }, count: 2, seed: 1 },
  patchSuccessMap: { ...patched, stride: 4, token: "t" },
  exportPatch: { patch: "./x.png", sticker: { area: 0.1 }, centimetres: 2, dpi: 72, file: "./print.png" },
  resumeRun: { directory: "./run", backend: "auto" },
};

async function connected(): Promise<MessageConnection> {
  const [near, far] = portPair();
  const server = connect(far);
  serve(server, () => undefined);
  server.listen();
  const client = connect(near);
  client.listen();
  await client.sendRequest(methods.handshake, { backend: "onnxruntime", protocol: protocolVersion });
  return client;
}

const placed = (text: string, folder: string): string => text.replaceAll('"./', `"${folder}/`).replaceAll(":./", `:${folder}/`);

/** Requests of the protocol with damaged parameters. Whatever they are, they are answered, and the engine answers the next one. */
export const requests: Kind = {
  name: "requests",
  namesPaths: true,
  keepsModels: true,
  async prepare(originals) {
    await writeTfjs(originals);
    const { png = new Uint8Array() } = await pictures();
    const client = await connected();
    return {
      write(folder, random) {
        cpSync(originals, folder, { recursive: true });
        writeFileSync(path.join(folder, "x.png"), png);
        const method = oneOf(random, Object.keys(asked));
        const params: unknown = JSON.parse(placed(JSON.stringify(asked[method]), folder));
        writeFileSync(
          path.join(folder, "request.json"),
          JSON.stringify({ method, params: damagedValue({ params }, random).params ?? null }),
        );
      },
      async open(folder) {
        const { method, params } = JSON.parse(readFileSync(path.join(folder, "request.json"), "utf8")) as {
          method: string;
          params: unknown;
        };
        const answer = await client.sendRequest(method, params).then(
          () => null,
          (thrown: unknown) => fromResponseError(thrown),
        );
        await client.sendRequest(methods.ping, {});
        if (answer) throw answer;
      },
    };
  },
};
