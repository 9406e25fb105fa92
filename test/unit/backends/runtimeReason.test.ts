import { describe, expect, it } from "vitest";
import { reasonOf } from "../../../src/engine/backends/onnxruntime/reason.ts";

const source = "/onnxruntime_src/onnxruntime/core";
describe("what ONNX Runtime's error says, in a sentence of ours", () => {
  it.each([
    [
      `Load model from models/a b/net.onnx failed:${source}/graph/model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, const onnxruntime::logging::Logger&, bool, const std::string&, int) ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 999 is under development and support for this is limited. The operator schemas and or other functionality may change.\n`,
      "ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 999 is under development and support for this is limited",
    ],
    [
      `Non-zero status code returned while running Reshape node. Name:'rs' Status Message: ${source}/providers/cpu/tensor/reshape_helper.h:84 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) size != 0 was false. The input tensor cannot be reshaped. Input shape:{1,1,2,2}, requested shape:{3,-1}\n`,
      '"rs" (Reshape): size != 0 was false. The input tensor cannot be reshaped. Input shape:{1,1,2,2}, requested shape:{3,-1}',
    ],
    [
      "Non-zero status code returned while running Gather node. Name:'gs' Status Message: indices element out of data bounds, idx=9",
      '"gs" (Gather): indices element out of data bounds, idx=9',
    ],
    [
      `${source}/providers/cuda/cuda_call.cc:129 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true] CUDA failure 2: out of memory ; GPU=0 ; hostname=anna-pc ; file=${source}/providers/cuda/cuda_allocator.cc ; line=48 ; expr=cudaMalloc((void**)&p, size);`,
      "CUDA failure 2: out of memory",
    ],
    ["Failed to load model because protobuf parsing failed.", "Failed to load model because protobuf parsing failed"],
    ["Invalid value(17) for 'axis'\nat line 2", "Invalid value(17) for 'axis'"],
    ["x".repeat(500), "x".repeat(200)],
  ])("%#", (message, reason) => expect(reasonOf(new Error(message))).toBe(reason));
});
