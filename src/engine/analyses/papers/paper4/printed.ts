/** What "Improving Network Robustness against Adversarial Attacks with Compact Convolution" (Ranjan et al. 2017) prints. */

export type PaperData = "MNIST" | "CIFAR";
export const models = ["SM", "LS", "BReLU", "L2SM", "CCN", "CCN+LS", "BN", "LRN"] as const;
/** Softmax, label smoothing, bounded ReLU, L2-softmax, compact convolutional network, batch and local response normalisation. */
export type PaperModel = (typeof models)[number];
type Figures = readonly number[];
type ByModel = Readonly<Partial<Record<PaperModel, Figures>>>;
type Block = Readonly<Record<PaperData, ByModel>>;

/** Radii of FGSM in the tables, after the clean column. */
export const radii: Readonly<Record<PaperData, readonly number[]>> = {
  MNIST: [0.1, 0.2, 0.3, 0.4],
  CIFAR: [2 / 255, 4 / 255, 8 / 255, 16 / 255],
};
/** Shares of the image's norm in Table 2. */
export const residues = [0.1, 0.2, 0.3, 0.4, 0.5] as const;

/** Tables 1 and 9: accuracy in percent, clean and under FGSM. */
export const fgsm: Block = {
  MNIST: {
    SM: [99.5, 92.61, 63.71, 31.76, 19.39],
    LS: [99.53, 95.62, 85.13, 44.25, 15.57],
    BReLU: [99.54, 95.29, 74.83, 42.51, 19.41],
    L2SM: [99.48, 94.51, 79.68, 60.32, 45.16],
    CCN: [99.5, 96.99, 91.64, 81.38, 60.65],
    "CCN+LS": [99.43, 97.26, 93.68, 89.73, 75.95],
    BN: [99.58, 88.48, 30.72, 11.2, 9.24],
    LRN: [99.28, 88.59, 52.52, 25.61, 13.21],
  },
  CIFAR: {
    SM: [91.14, 60.82, 34.62, 14.3, 8.57],
    LS: [91.03, 66.7, 58.4, 54.07, 51.05],
    BReLU: [90.87, 61.49, 35.02, 18.01, 13.73],
    L2SM: [91.37, 70.58, 65.39, 63.71, 62.59],
    CCN: [90.54, 73.72, 71.47, 69.65, 66.23],
    "CCN+LS": [90.51, 80.93, 79.2, 76.8, 71.38],
    BN: [92.34, 59.47, 40.63, 26.7, 16.58],
    LRN: [91.33, 60.68, 34.82, 14.99, 9.08],
  },
};

/** Table 2: accuracy in percent under DeepFool that may change a share of the image's norm. */
export const deepFoolAccuracy: Block = {
  MNIST: {
    SM: [93.24, 63.22, 18.73, 1.89, 0.53],
    LS: [96.85, 92.2, 88.12, 82.05, 70.08],
    BReLU: [96.15, 84.33, 70.13, 57.25, 45.5],
    L2SM: [96.5, 88.22, 75.94, 59.47, 40.31],
    CCN: [97.06, 92.18, 83.46, 69.25, 48.54],
    "CCN+LS": [97.76, 95.42, 92.43, 88.65, 84.01],
  },
  CIFAR: {
    SM: [5.73, 5.72, 5.72, 5.72, 5.72],
    LS: [57.33, 43.93, 31.77, 21.89, 14.6],
    BReLU: [22.44, 15.49, 10.48, 7.29, 6.37],
    L2SM: [66.63, 56.93, 47.89, 38.52, 28.85],
    CCN: [73.17, 71.78, 70.24, 68.13, 64.02],
    "CCN+LS": [80.8, 79.38, 78.08, 76.43, 74.22],
  },
};

/** Table 3: mean of the norm of DeepFool's change over that of the image, ρ_adv. */
export const deepFoolRatio: Readonly<Record<PaperData, Readonly<Partial<Record<PaperModel, number>>>>> = {
  MNIST: { SM: 0.225, LS: 0.571, BReLU: 0.493, L2SM: 0.441, CCN: 0.479, "CCN+LS": 0.827 },
  CIFAR: { SM: 0.014, LS: 0.185, BReLU: 0.057, L2SM: 0.285, CCN: 0.549, "CCN+LS": 0.625 },
};

/** Table 4: as `fgsm`, of networks trained with FGSM images in every batch. */
export const adversariallyTrained: Block = {
  MNIST: {
    SM: [99.49, 96.51, 98.67, 99.15, 96.06],
    LS: [99.45, 98.4, 98.77, 99.31, 98.79],
    BReLU: [99.43, 96.79, 98.93, 99.42, 97.12],
    L2SM: [99.47, 96.88, 98.7, 99.32, 84.03],
    CCN: [99.44, 98.18, 98.71, 99.09, 96.9],
    "CCN+LS": [99.48, 98.65, 98.8, 98.93, 94.13],
  },
  CIFAR: {
    SM: [83.8, 71.56, 67.18, 71.46, 43.09],
    LS: [83.28, 77.68, 69.07, 52.13, 34.04],
    BReLU: [85.37, 72.93, 67.08, 80.73, 31.01],
    L2SM: [84.8, 73.08, 68.31, 74.95, 49.64],
    CCN: [87.08, 73.27, 75.8, 76.78, 61.97],
    "CCN+LS": [87.17, 76.68, 77.53, 77.66, 70.17],
  },
};

/** Tables 11 and 12: mean L2 distance of Carlini and Wagner's attack over its successes, and their share in percent. */
export const carliniWagner: Block = {
  MNIST: {
    SM: [1.393, 100],
    LS: [1.626, 100],
    BReLU: [1.473, 100],
    L2SM: [1.453, 100],
    CCN: [1.449, 100],
    "CCN+LS": [2.079, 96.54],
  },
  CIFAR: {
    SM: [0.277, 100],
    LS: [0.413, 100],
    BReLU: [0.312, 99.13],
    L2SM: [0.717, 94.26],
    CCN: [0.352, 99.95],
    "CCN+LS": [0.471, 99.08],
  },
};

/** Table 13: one compact layer on MNIST, accuracy in percent, clean and under FGSM with ε 0.3; fc3 gives the scores. */
export const table13: Readonly<Record<string, readonly [clean: number, attacked: number]>> = {
  none: [99.5, 31.76],
  conv1: [99.5, 44.38],
  conv2: [99.51, 42.34],
  conv3: [99.5, 39.8],
  conv4: [99.54, 39.04],
  fc1: [99.58, 44.19],
  fc2: [99.57, 58.71],
  fc3: [99.48, 60.32],
};
