import type { RuntimePart } from "../../shared/gpuRuntime.ts";
import type { DoctorReport } from "../../shared/protocol.ts";

export interface Verdict {
  readonly text: string;
  readonly works: boolean;
  /** What the user may want next. */
  readonly next: "selectBackend" | "selectDevice" | undefined;
}

/** One sentence about a part that was installed, from what the doctor found. */
export function verdict(part: RuntimePart, { backends, devices, selected }: DoctorReport): Verdict {
  const [found] =
    part.id === "tensorflow" ? backends.filter(({ name }) => name === "tensorflow") : devices.filter(({ name }) => name === "cuda");
  if (!found?.available)
    return {
      works: false,
      next: undefined,
      text: `${part.title} is installed, but cannot be used: ${found?.reason ?? "the doctor gives no reason"}`,
    };
  const device = found.device ?? "a GPU";
  if (part.id === "onnxruntime")
    return {
      works: true,
      next: "selectDevice",
      text: `${part.title} is installed and computes on ${device}, once you choose the device cuda.`,
    };
  const blind = /sees no GPU: .*/.exec(device)?.[0];
  if (blind) return { works: false, next: undefined, text: `${part.title} is installed, but ${blind}` };
  const text = `${part.title} is installed and computes on ${device.replace(/^TensorFlow, /, "")}`;
  return selected === "tensorflow"
    ? { works: true, next: undefined, text: `${text}; the backend auto takes it from now on.` }
    : { works: true, next: "selectBackend", text: `${text}, once you choose the backend tensorflow.` };
}
