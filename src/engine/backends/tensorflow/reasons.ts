import type { TensorflowPackage } from "./find.ts";
import { pinnedVersion } from "./find.ts";

/** What is wrong, in one sentence without its full stop, and what to do about it, in one sentence with it. */
export interface Trouble {
  readonly reason: string;
  readonly fix: string;
}
/** How the process that tried it ended. */
export interface Ending {
  /** Its standard error. */
  readonly said: string;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly seconds: number;
}

const downloads = "storage.googleapis.com";
const oldNode = "Set bulwark.engine.nodePath to Node 20 or 22, or run the command line with it.";

const reinstall = ({ id, place, installedByCommand }: TensorflowPackage): string =>
  installedByCommand
    ? "Run “Bulwark: Install GPU Runtime” and choose Reinstall."
    : `Run \`npm rebuild ${id}\` in ${place}; it downloads from ${downloads}.`;

interface Breakage {
  readonly sign: RegExp;
  readonly explain: (match: RegExpExecArray, found: TensorflowPackage) => Trouble;
}
/** Known failures by their own words, the most telling first. */
const breakages: readonly Breakage[] = [
  {
    sign: /tfjs_binding\.node\) can not be found|Cannot find module '[^']*tfjs_binding\.node'/,
    explain: (_, found) => ({
      reason: "its native part is missing: install scripts were skipped, or their download failed",
      fix: reinstall(found),
    }),
  },
  {
    sign: /version `(GLIBC(?:XX)?_[\d.]+)' not found/,
    explain: ([, version]) => ({
      reason: `it needs ${version}, which the C library of this system is too old for`,
      fix: "Use a newer Linux, or leave the backend to auto.",
    }),
  },
  {
    sign: /invalid ELF header|wrong ELF class|cannot execute binary file|not a valid Win32 application|incompatible architecture|not a mach-o file/i,
    explain: (_, found) => ({
      reason: "its native part was built for another system or processor than this one",
      fix: installedHere(found),
    }),
  },
  {
    sign: /compiled against a different Node\.js version/,
    explain: (_, found) => ({ reason: `its native part was built for another Node than ${process.versions.node}`, fix: reinstall(found) }),
  },
  {
    sign: /(lib(?:tensorflow|cud|cublas|cufft|cusparse|cusolver|curand|nccl)[\w.-]*\.(?:so|dylib)[\w.]*): cannot open shared object file|Library not loaded: \S*?(libtensorflow[\w.]*)|(The specified module could not be found)/,
    explain: ([, library, dylib], found) => ({
      reason: `the library ${library ?? dylib ?? "tensorflow.dll"} is missing`,
      fix: reinstall(found),
    }),
  },
  {
    sign: /\.(is[A-Z]\w+)\)? is not a function/,
    explain: ([, name]) => ({ reason: `it calls util.${name}, which Node ${process.versions.node} no longer has`, fix: oldNode }),
  },
  {
    sign: /no kernel image is available|CUDA_ERROR_NO_BINARY_FOR_GPU|CUDA_ERROR_INVALID_PTX/,
    explain: () => ({
      reason: "the GPU is newer than the CUDA 11 that it was built for",
      fix: "Choose the backend onnxruntime, whose CUDA provider is for CUDA 12.",
    }),
  },
  {
    sign: /CUDNN_STATUS_\w+|DNN library is not found|Could not create cudnn handle|Failed to get convolution algorithm/,
    explain: ([sign]) => ({ reason: `cuDNN does not work (${sign})`, fix: "Install cuDNN 8.1 for CUDA 11.2." }),
  },
  {
    sign: /Cannot find (?:module|package) '([^']+)'/,
    explain: ([, name], found) => ({ reason: `${name} is missing, so that it is not installed whole`, fix: installedHere(found) }),
  },
];

const installedHere = (found: TensorflowPackage): string =>
  found.installedByCommand
    ? "Run “Bulwark: Install GPU Runtime” and choose Reinstall."
    : `Remove node_modules in ${found.place} and run \`npm install\` there, on this machine.`;

/** Why the package could not be loaded or failed its first computation. */
export function explainFailure(ending: Ending, found: TensorflowPackage): Trouble {
  for (const { sign, explain } of breakages) {
    const match = sign.exec(ending.said);
    if (match) return explain(match, found);
  }
  if (ending.timedOut)
    return {
      reason: `it did not answer within ${ending.seconds} s`,
      fix: "On a GPU newer than its CUDA 11 the very first start translates kernels for minutes: run the doctor, which waits for that, then try again.",
    };
  if (ending.signal === "SIGILL")
    return { reason: "the processor lacks instructions that it was built with (AVX)", fix: "Leave the backend to auto." };
  if (ending.signal) return { reason: `it crashed with ${ending.signal}`, fix: "Leave the backend to auto." };
  const line = ending.said.split("\n").find((text) => /^\w*Error\b/.test(text.trim()));
  return { reason: line?.trim() ?? "it exited without output", fix: reinstall(found) };
}

/** Why a GPU build computes on the CPU, from what TensorFlow prints while it looks for devices. */
export function explainNoGpu(said: string): Trouble {
  const missing = [...new Set([...said.matchAll(/Could not load dynamic library '([^']+)'/g)].map(([, name]) => name ?? ""))];
  // Of these two TensorFlow itself says that they may be missing where there is no GPU, and TensorRT is optional.
  const wanted = missing.filter((name) => !/nvinfer/.test(name));
  if (wanted.some((name) => /^(libcuda\.so|nvcuda)/.test(name)))
    return { reason: "there is no NVIDIA driver", fix: "Install the driver of an NVIDIA GPU, or choose the backend onnxruntime." };
  if (wanted.length > 0)
    return {
      reason: `${list(wanted)} ${wanted.length === 1 ? "is" : "are"} not found`,
      fix: "Install CUDA 11.2 and cuDNN 8.1, and name their folders in LD_LIBRARY_PATH.",
    };
  const initialise = /(CUDA_ERROR_\w+)/.exec(said)?.[1];
  if (initialise) return { reason: `the NVIDIA driver answers ${initialise}`, fix: "Check it with `nvidia-smi`." };
  return { reason: "TensorFlow found none", fix: "Check the driver with `nvidia-smi`, or choose the backend onnxruntime." };
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** Two copies of tfjs-core share one engine, so they must be the same. */
export const explainVersion = (version: string, ours: string, found: TensorflowPackage): Trouble => ({
  reason: `it brings tfjs-core ${version}, and Bulwark works with ${ours}`,
  fix: found.installedByCommand
    ? "Run “Bulwark: Install GPU Runtime” and choose Reinstall."
    : `Run \`npm install ${found.id}@${pinnedVersion}\` in ${found.place}.`,
});
