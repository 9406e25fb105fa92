import { expect, test } from "vitest";
import {
  bytes,
  count,
  duration,
  epsilon,
  inSentence,
  number,
  parseNumber,
  percent,
  pixelChange,
  plural,
  points,
  probability,
  progressPercent,
  steps255,
  words,
} from "../../../src/shared/format.ts";

test.each([
  [0, "0"],
  [0.031372549, "0.0314"],
  [1.42, "1.42"],
  [1.4, "1.4"],
  [99.96, "100"],
  [3071, "3071"],
  [30_712, "30\u202f712"],
  [-0.5, "−0.5"],
  [0.00001234, "1.23e−5"],
  [0.0001, "0.0001"],
  [2_500_000, "2.5e6"],
  [Number.POSITIVE_INFINITY, "∞"],
  [Number.NEGATIVE_INFINITY, "−∞"],
  [Number.NaN, "–"],
  [null, "–"],
])("number %s has three significant digits: %s", (value, text) => {
  expect(number(value)).toBe(text);
});

test.each([
  [0, "0.000"],
  [0.0004, "<0.001"],
  [0.0312, "0.031"],
  [0.9994, "0.999"],
  [0.99999, ">0.999"],
  [1, "1.000"],
])("probability %s is shown as %s, never rounded to certainty", (value, text) => {
  expect(probability(value)).toBe(text);
});

test("percent has one decimal", () => {
  expect(percent(0.9934)).toBe("99.3 %");
  expect(percent(0)).toBe("0.0 %");
  expect(percent(-0.021)).toBe("−2.1 %");
  expect(percent(null)).toBe("–");
});

test("a difference of shares is told in points", () => {
  expect(points(0.365)).toBe("36.5");
  expect(points(-0.021)).toBe("−2.1");
  expect(points(null)).toBe("–");
});

test("ε is n/255 when it is one, to float32 precision, and a decimal when it reads well as one", () => {
  expect(epsilon(8 / 255)).toBe("8/255");
  expect(epsilon(Math.fround(8 / 255))).toBe("8/255");
  expect(epsilon(0.3)).toBe("0.3");
  expect(epsilon(0.2)).toBe("0.2"); // 51/255
  expect(epsilon(40)).toBe("40");
  expect(steps255(0.3)).toBeNull();
});

test("what a person types becomes a number", () => {
  expect(parseNumber("8/255")).toBeCloseTo(0.03137254901960784, 15);
  expect(parseNumber(" 0.03 ")).toBe(0.03);
  expect(parseNumber("−2")).toBe(-2);
  expect(parseNumber("1/0")).toBeNull();
  expect(parseNumber("")).toBeNull();
  expect(parseNumber("eps")).toBeNull();
});

test("times, sizes, counts and names", () => {
  expect(duration(0.412)).toBe("412 ms");
  expect(duration(59.96)).toBe("60 s");
  expect(duration(61)).toBe("1 min 01 s");
  expect(duration(3725)).toBe("1 h 02 min");
  expect(duration(null)).toBe("–");
  expect(bytes(412e6)).toBe("412 MB");
  expect(bytes(999)).toBe("999 B");
  expect(count(1_234_567)).toBe("1\u202f234\u202f567");
  expect(plural(1, "slice")).toBe("1 slice");
  expect(plural(16, "slice")).toBe("16 slices");
  expect(words("stepSize")).toBe("step size");
});

test("a title inside a sentence keeps the capitals of a name", () => {
  for (const title of [
    "JPEG compression",
    "TVM",
    "LaVAN: localized",
    "N-pixel attack",
    "Sparse-RS",
    "Grad-CAM",
    "VGG16",
    "ResNet9",
    "MNIST",
  ])
    expect(inSentence(title)).toBe(title);
  expect(inSentence("Gaussian filter")).toBe("Gaussian filter");
  expect(inSentence("Median filter")).toBe("median filter");
  expect(inSentence("Bit-depth reduction")).toBe("bit-depth reduction");
  expect(inSentence("Total-variation minimisation")).toBe("total-variation minimisation");
});

test("progress is a whole percent", () => {
  expect(progressPercent(0.4249)).toBe("42 %");
  expect(progressPercent(1)).toBe("100 %");
});

test("changes of pixels are all in grey levels", () => {
  expect([0, 0.498, 0.923, 246 / 255, 1].map(pixelChange)).toEqual(["0/255", "127/255", "235/255", "246/255", "255/255"]);
});
