/** Colours of a figure; any CSS colour, also `var(…)`. */
export interface FigureTheme {
  /** Of series, by their place; more series begin again. */
  readonly colours: readonly string[];
  readonly tokens: {
    readonly ink: string;
    /** Labels and ticks. */
    readonly soft: string;
    readonly grid: string;
    /** What the figure stands on; null for nothing, so that the page shows through. */
    readonly paper: string | null;
    readonly font: string;
  };
}

const places = [0, 1, 2, 3, 4, 5];

/** In a panel: the theme's colours, which `figure.css` reads off VS Code's variables, so that a figure follows the theme by itself. */
export const panelTheme: FigureTheme = {
  colours: places.map((i) => `var(--figure-${i})`),
  tokens: {
    ink: "var(--vscode-foreground)",
    soft: "var(--vscode-descriptionForeground, var(--vscode-foreground))",
    grid: "var(--figure-grid)",
    paper: null,
    font: "var(--vscode-font-family, sans-serif)",
  },
};

/** In `report.html`: the page's own fixed palette, light or dark as the reader has it. */
export const reportTheme: FigureTheme = {
  colours: places.map((i) => `var(--c${i})`),
  tokens: { ink: "var(--ink)", soft: "var(--soft)", grid: "var(--line)", paper: null, font: "system-ui, sans-serif" },
};

/** In files of their own: dark on white, at least 4.5 : 1 against it. */
export const printTheme: FigureTheme = {
  colours: ["#1a6fb5", "#b3541e", "#2e7d32", "#7b3fa0", "#b3261e", "#7a6000"],
  tokens: { ink: "#1f2328", soft: "#57606a", grid: "#d0d7de", paper: "#ffffff", font: "sans-serif" },
};
