/** Ids that package.json, the extension and the language server share. A test holds package.json against this file. */
export const commands = {
  /** From a context menu: no questions where the last choices still hold. */
  attackThisImage: "bulwark.attackThisImage",
  /** From the palette: asks for image, model and attack. */
  attackImage: "bulwark.attackImage",
  explainImage: "bulwark.explainImage",
  rankPatches: "bulwark.rankPatches",
  /** With an image, a model or a patch file as argument, or none. */
  openPatchStudio: "bulwark.openPatchStudio",
  inspectModel: "bulwark.inspectModel",
  /** With the lines as argument. */
  copySnippet: "bulwark.copySnippet",
  /** With a model and `kind:path` of labelled data as arguments, or none. */
  probeContract: "bulwark.probeContract",
  evaluateModel: "bulwark.evaluateModel",
  /** With two or more models as second argument, as the explorer hands a selection over, or none. */
  compareModels: "bulwark.compareModels",
  attackModel: "bulwark.attackModel",
  runExperiment: "bulwark.runExperiment",
  trainExperiment: "bulwark.trainExperiment",
  evaluateExperiment: "bulwark.evaluateExperiment",
  newExperiment: "bulwark.newExperiment",
  resumeRun: "bulwark.resumeRun",
  cancelRun: "bulwark.cancelRun",
  openRun: "bulwark.openRun",
  revealRun: "bulwark.revealRun",
  openReport: "bulwark.openReport",
  openTraining: "bulwark.openTraining",
  deleteRun: "bulwark.deleteRun",
  fetchDataset: "bulwark.fetchDataset",
  previewData: "bulwark.previewData",
  runDoctor: "bulwark.runDoctor",
  selectBackend: "bulwark.selectBackend",
  selectDevice: "bulwark.selectDevice",
  /** Asks before it downloads anything. */
  installGpuRuntime: "bulwark.installGpuRuntime",
  showStatus: "bulwark.showStatus",
  showLog: "bulwark.showLog",
  restartEngine: "bulwark.restartEngine",
  refreshViews: "bulwark.refreshViews",
  /** A picture and a model that come with the extension, attacked at once. */
  trySample: "bulwark.trySample",
} as const;
export type CommandId = (typeof commands)[keyof typeof commands];

export const views = {
  container: "bulwark",
  models: "bulwark.models",
  data: "bulwark.data",
  runs: "bulwark.runs",
  findings: "bulwark.findings",
} as const;
export const panels = {
  inspector: "bulwark.inspector",
  training: "bulwark.training",
  report: "bulwark.report",
  patchStudio: "bulwark.patchStudio",
  model: "bulwark.model",
  doctor: "bulwark.doctor",
  preview: "bulwark.preview",
} as const;
export const settings = {
  backend: "bulwark.engine.backend",
  device: "bulwark.engine.device",
  nodePath: "bulwark.engine.nodePath",
  threads: "bulwark.engine.threads",
  memory: "bulwark.engine.memory",
  seed: "bulwark.seed",
  modelLenses: "bulwark.codeLens.modelFiles",
} as const;

/** The read-only editor of ONNX and Keras files. */
export const modelEditor = "bulwark.modelFile";

export const experimentLanguage = "bulwark-experiment";
export const experimentGlob = "**/*.bulwark.jsonc";
export const imageExtensions = ["png", "jpg", "jpeg", "webp", "bmp"] as const;
