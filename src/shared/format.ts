/** Numbers as a person reads them: three significant digits, percent with one decimal, ε as n/255 when it is one. */
export const minus = "−";

/** Three significant digits, a true minus sign, thin spaces in thousands; "–" for what is not known. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${minus}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? scientific(size, digits) : grouped(size, digits);
  return value < 0 ? `${minus}${text}` : text;
}

function scientific(size: number, digits: number): string {
  const [mantissa = "", exponent = "0"] = size.toExponential(digits - 1).split("e");
  return `${trimZeros(mantissa)}e${exponent.replace("+", "").replace("-", minus)}`;
}

function grouped(size: number, digits: number): string {
  if (size >= 10 ** digits) return count(Math.round(size));
  const text = size.toPrecision(digits);
  return trimZeros(text.includes("e") ? String(Number(text)) : text);
}

const trimZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** A whole number with thin spaces between thousands (from 10 000 on, so that 3071 stays one word). */
export function count(value: number): string {
  const text = String(Math.round(Math.abs(value)));
  const spaced = text.length > 4 ? text.replace(/\B(?=(\d{3})+$)/g, "\u202f") : text;
  return value < 0 ? `${minus}${spaced}` : spaced;
}

export const percent = (share: number | null | undefined, decimals = 1): string =>
  share === null || share === undefined || Number.isNaN(share) ? "–" : `${(share * 100).toFixed(decimals)} %`.replace("-", minus);

/** How far something is, for lines that change all the time: a whole percent. */
export const progressPercent = (share: number): string => `${Math.round(share * 100)} %`;

/** The same as `percent` without its unit: a difference of shares in percentage points. */
export const points = (share: number | null | undefined, decimals = 1): string => percent(share, decimals).replace(" %", "");

/** A probability with three decimals; what is not quite 0 or 1 is not shown as 0 or 1. */
export function probability(value: number): string {
  if (value > 0 && value < 0.0005) return "<0.001";
  if (value < 1 && value >= 0.9995) return ">0.999";
  return value.toFixed(3);
}

/** The number of 1/255 steps that `value` is, or null. Only whole steps count, to float32 precision. */
export function steps255(value: number): number | null {
  const steps = value * 255;
  const whole = Math.round(steps);
  return whole !== 0 && Math.abs(steps - whole) < 1e-4 ? whole : null;
}

/** "8/255" for 0.03137…, else three digits. Whole numbers and anything outside (0, 1) are left as they are. */
export function epsilon(value: number): string {
  const steps = value > 0 && value < 1 ? steps255(value) : null;
  // 0.2 is 51/255 and 0.6 is 153/255: what reads well as a decimal stays one.
  if (steps === null || Math.abs(value * 100 - Math.round(value * 100)) < 1e-9) return number(value);
  return `${steps}/255`;
}

/** "127/255" for a pixel changed by 0.498. Always in grey levels, so that changes can be compared. */
export const pixelChange = (value: number): string => `${number(value * 255)}/255`;

/** "8/255" and "0.03" are numbers a person may type; null when the text is neither. */
export function parseNumber(text: string): number | null {
  const fraction = /^\s*([-+]?[\d.]+)\s*\/\s*([\d.]+)\s*$/.exec(text);
  const value = fraction ? Number(fraction[1]) / Number(fraction[2]) : text.trim() === "" ? Number.NaN : Number(text.replace(minus, "-"));
  return Number.isFinite(value) ? value : null;
}

/** The value of "8/255"; null for what is no fraction. */
export const parseFraction = (text: string): number | null => (text.includes("/") ? parseNumber(text) : null);

/** "0.21 ms", "34 ms", "1.2 s". */
export const milliseconds = (time: number): string => (time < 1000 ? `${number(time)} ms` : `${number(time / 1000)} s`);

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${number(seconds, seconds < 10 ? 2 : 3)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
}

export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${number(scaled)} ${units[unit]}`;
}

/** "attack image" for attackImage, "step size" for stepSize: a parameter's name in words. */
export const words = (camelCase: string): string =>
  camelCase
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .trim();
/** Letters that the literature writes where a parameter's name spells them out. */
const symbols: Readonly<Record<string, string>> = {
  eps: "ε",
  kappa: "κ",
  lambda: "λ",
  sigma: "σ",
  theta: "θ",
  gamma: "γ",
  linf: "L∞",
  l2: "L2",
  l0: "L0",
};
/** A parameter or one of its options as a label: "Step size" for stepSize, "ε" for eps, "L∞" for linf. */
export const parameterLabel = (name: string): string => symbols[name] ?? capital(words(name));
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** A title inside a sentence: "median filter", but "JPEG compression", "N-pixel attack" and "Gaussian filter", which begin with a name. */
export const inSentence = (title: string): string => {
  const [first = ""] = title.split(/[\s:]/);
  return /^\p{Lu}\p{Ll}[^\p{Lu}\d]*$/u.test(first) && first !== "Gaussian" ? first.charAt(0).toLowerCase() + title.slice(1) : title;
};
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;
