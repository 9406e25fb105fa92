import { it } from "vitest";
import { useBackend } from "/work/wt/onnx/src/engine/backends/index.ts";
import { loadNetwork } from "/work/wt/onnx/src/engine/importers/index.ts";
it("x", async () => {
  await useBackend("onnxruntime");
  for (const f of (process.env.FILES ?? "").split(",")) {
    try {
      const t = performance.now();
      const m = await loadNetwork(f, undefined, { isUnnamed: true });
      console.log(f, Math.round(performance.now() - t), "ms", m.network.layers.length, "layers", m.notes, m.outputs, JSON.stringify(m.contract), m.network.layers.filter(l=>l.getClassName()==="Permute").length, "permutes");
      if (process.env.LIST) console.log(m.network.layers.map(l => l.getClassName()+" "+l.name).join("\n"));
      m.network.dispose();
    } catch (e) { console.log(f, "ERR", e.code, e.message, e.code ? "" : e.stack); }
  }
}, 600000);
