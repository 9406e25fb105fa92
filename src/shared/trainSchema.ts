import { int, num, type Schema } from "./schema.ts";
import { defaultTrain } from "./trainSettings.ts";

const schedule = (kind: string, properties: Readonly<Record<string, Schema>> = {}): Schema => ({
  type: "object",
  properties: { kind: { const: kind }, ...properties },
  required: ["kind", ...Object.keys(properties)],
  additionalProperties: false,
});
const schedules = [
  schedule("constant"),
  schedule("cosine"),
  schedule("steps", {
    at: { type: "array", items: { type: "integer" }, description: "Epochs at which the rate is multiplied." },
    factor: num("Multiplier.", 0.1),
  }),
  schedule("exponential", {
    every: int("The rate is multiplied after each so many epochs.", 1, { minimum: 1 }),
    factor: num("Multiplier.", 0.94),
  }),
  schedule("plateau", { factor: num("Multiplier.", 0.5), patience: int("Epochs without improvement.", 2) }),
];

/** `train` of an experiment file. @param attack schema of the choice of an attack */
export const trainSchema = (attack: Schema): Schema => ({
  type: "object",
  description: "How the model is trained.",
  additionalProperties: false,
  properties: {
    epochs: int("Passes over the training images.", defaultTrain.epochs, { minimum: 1 }),
    batchSize: int("Images to an optimiser step.", defaultTrain.batchSize, { minimum: 1 }),
    optimizer: {
      enum: ["sgd", "adam", "rmsprop", "adadelta"],
      default: defaultTrain.optimizer,
      description: "SGD with momentum, Adam, RMSProp with momentum as TensorFlow 1 has it, or Adadelta, whose usual learning rate is 1.",
    },
    learningRate: num("Step size of the optimiser.", defaultTrain.learningRate, { exclusiveMinimum: 0 }),
    momentum: num("Momentum of SGD and RMSProp.", defaultTrain.momentum, { minimum: 0, maximum: 1 }),
    decay: {
      type: "number",
      minimum: 0,
      exclusiveMaximum: 1,
      description: "Decay of the mean of squared gradients; 0.9 for RMSProp and 0.95 for Adadelta when left out.",
    },
    epsilon: {
      type: "number",
      exclusiveMinimum: 0,
      description: "Added to that mean inside the root; 1e-10 for RMSProp and 1e-8 for Adadelta when left out.",
    },
    weightDecay: num("L2 penalty on kernels.", defaultTrain.weightDecay, { minimum: 0 }),
    schedule: {
      description: "How the learning rate changes.",
      oneOf: schedules,
    },
    validation: num("Share of the training images kept for validation.", defaultTrain.validation, { minimum: 0, maximum: 0.9 }),
    earlyStop: int("Stop after so many epochs without improvement; 0 = never.", defaultTrain.earlyStop, { minimum: 0 }),
    quickAttack: {
      anyOf: [{ type: "null" }, attack],
      description: "Attack tried on a few validation images after each epoch.",
    },
    watch: {
      type: "array",
      items: { type: "integer", minimum: 0 },
      default: [],
      maxItems: 16,
      description:
        "Images whose attention is drawn after each epoch, by their index among the validation images (the training images without any); four of different classes where none is named.",
    },
  },
});
