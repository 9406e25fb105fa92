import type { Chosen } from "./experiment.ts";

/** How an arm is trained: `train` of an experiment file. */
export interface TrainSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: "sgd" | "adam" | "rmsprop" | "adadelta";
  readonly learningRate: number;
  /** Of SGD and RMSProp. */
  readonly momentum: number;
  /** Of the mean of squared gradients, and what is added to it inside the root, of RMSProp and Adadelta; their own where left out. */
  readonly decay?: number;
  readonly epsilon?: number;
  /** On kernels only. */
  readonly weightDecay: number;
  readonly schedule:
    | { readonly kind: "constant" }
    | { readonly kind: "steps"; readonly at: readonly number[]; readonly factor: number }
    | { readonly kind: "exponential"; readonly every: number; readonly factor: number }
    | { readonly kind: "cosine" }
    | { readonly kind: "plateau"; readonly factor: number; readonly patience: number };
  /** Share of the training images kept for validation. */
  readonly validation: number;
  /** Stop after so many epochs without a better validation accuracy; 0 = never. */
  readonly earlyStop: number;
  /** Attack whose success rate is measured on a few validation images after each epoch; null = none. */
  readonly quickAttack: Chosen | null;
  /** Images whose attention is drawn after each epoch, by their index; of different classes where none is named. */
  readonly watch: readonly number[];
}
export const defaultTrain: TrainSettings = {
  epochs: 5,
  batchSize: 64,
  optimizer: "adam",
  learningRate: 0.001,
  momentum: 0.9,
  weightDecay: 0,
  schedule: { kind: "constant" },
  validation: 0.1,
  earlyStop: 0,
  quickAttack: null,
  watch: [],
};
