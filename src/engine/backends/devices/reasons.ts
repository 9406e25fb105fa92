import { type Device, deviceTitles } from "../../../shared/devices.ts";
import { number } from "../../../shared/format.ts";
import type { Trial } from "./trial.ts";

/** Platforms each provider is available on. */
const homes: Readonly<Record<Device, string>> = {
  cpu: "everywhere",
  webgpu: "on Linux x64, Windows and macOS",
  cuda: "on Linux x64",
  directml: "on Windows",
  coreml: "on macOS",
};

export interface Circumstances {
  readonly seconds: number;
  readonly platform: string;
  readonly arch: string;
  /** Parts of ONNX Runtime that are installed apart from it. */
  readonly parts: { readonly cuda: boolean };
}

/** The line that names the error, without its class where that says nothing and without the path of ONNX Runtime's source file. */
function firstError(said: string): string {
  const lines = said.split("\n").filter((text) => text.trim() !== "");
  const line = lines.find((text) => /^\s*(Uncaught )?\w*Error: /.test(text)) ?? lines.find((text) => /error/i.test(text)) ?? lines[0];
  return (line ?? "it said nothing")
    .replace(/^\s*(Uncaught )?(Error: )?/, "")
    .replace(/^\/\S+ (?=\S)/, "")
    .trim()
    .slice(0, 240);
}

/** Why a trial failed and what is missing, in a sentence. */
export function whyNot(device: Device, trial: Trial, { seconds, platform, arch, parts }: Circumstances): string {
  const { said, signal, timedOut, difference } = trial;
  if (difference !== undefined) return `its numbers differ from the CPU's by ${number(difference, 2)} of the largest one`;
  if (timedOut) return `its trial did not end within ${seconds} s`;
  if (signal !== null) return `its trial crashed (${signal})`;
  if (/is unsupported: '/.test(said))
    return `ONNX Runtime's build for ${platform}-${arch} has no ${deviceTitles[device]}, which there is ${homes[device]}`;
  if (device === "cuda" && !parts.cuda)
    return "ONNX Runtime's CUDA part is not installed; the command Bulwark: Install GPU Runtime fetches it";
  const missing = /(\S+?\.(?:so[.\d]*|dll|dylib)):? (?:cannot open shared object file|.{0,40}not found)/.exec(said)?.[1];
  if (/No supported adapters|Failed to get a WebGPU adapter/.test(said))
    return `no GPU adapter was found${missing ? `: ${missing} is missing` : ": no graphics driver offers one"}`;
  if (/Failed to load shared library/.test(said))
    return missing ? `${missing} is missing` : "a library that ONNX Runtime needs for it is missing";
  if (/disable_cpu_ep_fallback|fallback to CPU EP/.test(said)) return "it leaves a convolution or a matrix product to the CPU";
  return firstError(said);
}
