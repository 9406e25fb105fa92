// Loaded into a process before the product (node --require): its real sessions on a GPU throw from the given run on, as a lost device does.
const { binding } = require("onnxruntime-node/dist/binding.js");
const last = Number(process.env.TEST_GPU_RUNS);
let runs = 0;
// The trial of a device has a process of its own, which must not fail.
if (/(cli|engine)\.cjs$/.test(process.argv[1] ?? "") && last > 0) {
  const Session = binding.InferenceSession;
  binding.InferenceSession = class extends Session {
    loadModel(...parts) {
      this.isOnGpu = JSON.stringify(parts[3].executionProviders).includes("webgpu");
      return super.loadModel(...parts);
    }
    run(...parts) {
      if (this.isOnGpu && ++runs > last) throw new Error("WebGPU device lost (2): Device was destroyed.");
      return super.run(...parts);
    }
  };
}
