/** The theme's colours as the canvas needs them, and a call when the theme changes. */
const chartTokens = ["blue", "orange", "green", "purple", "red", "yellow"] as const;

export const token = (name: string, fallback = "currentcolor"): string => {
  const value = getComputedStyle(document.body).getPropertyValue(`--vscode-${name}`).trim();
  return value === "" ? (fallback === "currentcolor" ? getComputedStyle(document.body).color : fallback) : value;
};

/** Lines are opaque: the theme's orange is made for the minimap and has an alpha of its own, and in high contrast there is none. */
export const chartColours = (): string[] =>
  chartTokens.map((name) => opaque(token(`charts-${name}`, name === "orange" ? token("charts-yellow") : undefined)));
const opaque = (colour: string): string =>
  colour.replace(/^(#[\da-f]{6})[\da-f]{2}$/i, "$1").replace(/^rgba\(([^,]+,[^,]+,[^,]+),[^)]+\)$/, "rgb($1)");
export function onThemeChange(changed: () => void): void {
  new MutationObserver(changed).observe(document.body, { attributes: true, attributeFilter: ["class", "data-vscode-theme-id"] });
  matchMedia("(forced-colors: active)").addEventListener("change", changed);
}
