import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { panels, startFixtures } from "../../webview/fixtures/serve.mjs";
import { openBrowser } from "../harness/browser.mjs";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const themes = ["dark", "light", "high-contrast", "high-contrast-light"];
const width = 640;
type Axe = typeof axe;
declare global {
  interface Window {
    axe: Axe;
    /** Names of the states that `webview/fixtures` has of the panel that is shown. */
    fixtureStates: readonly string[];
    /** Shows another one of them. */
    fixtureShow(name: string): void;
    /** What the panel has sent to its host. */
    sent: readonly unknown[];
  }
}

let browser: Awaited<ReturnType<typeof openBrowser>>;
let fixtures: Awaited<ReturnType<typeof startFixtures>>;
beforeAll(async () => {
  fixtures = await startFixtures();
  browser = await openBrowser({ width, height: 900 });
});
afterAll(async () => {
  await browser?.close();
  fixtures?.stop();
});

const open = (page: Page, panel: string, state: string) => page.goto(`${fixtures.url}?panel=${panel}&state=${state}&theme=${themes[0]}`);

/** Shows what is folded away. */
const unfold = (page: Page) =>
  page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    return new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  });

/** Every rule in the first theme; the others change nothing but colours. */
const violations = (page: Page, theme: string) =>
  page.evaluate(
    async ([name, isFirst]) => {
      document.body.className = `vscode-${name}`;
      document.body.setAttribute("data-vscode-theme-kind", `vscode-${name}`);
      await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
      const { violations: found } = await window.axe.run(document, {
        resultTypes: ["violations"],
        ...(isFirst ? {} : { runOnly: ["color-contrast"] }),
      });
      return found.flatMap(({ id, impact, nodes }) =>
        nodes.map(({ target, any, all, none }) => ({
          id,
          impact,
          target: target.flat().join(" "),
          why: [...any, ...all, ...none][0]?.message,
        })),
      );
    },
    [theme, theme === themes[0]] as const,
  );

/** A page of its own, since several panels are looked at at once. */
async function withPage<T>(work: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.context.newPage();
  try {
    return await work(page);
  } finally {
    await page.close();
  }
}

/** What is serious or critical in these states of a panel, in every theme. */
async function serious(page: Page, panel: string, states: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const state of states) {
    await open(page, panel, state);
    await page.evaluate(source);
    await unfold(page);
    for (const theme of themes)
      for (const { id, impact, target, why } of await violations(page, theme))
        if (impact === "serious" || impact === "critical") found.push(`${state}, ${theme}: ${id} ${target}: ${why}`);
  }
  return found;
}

/** Panels as `webview/fixtures` has them: a new panel or state there is looked at here by itself. */
describe.concurrent.each(panels)("the panel %s, in every state and every theme", (panel) => {
  it("breaks no rule of accessibility that is serious, contrast among them", async ({ expect }) => {
    const states = await withPage(async (page) => {
      await open(page, panel, "");
      return page.evaluate(() => window.fixtureStates);
    });
    expect(states.length).toBeGreaterThan(0);
    const half = Math.ceil(states.length / 2); // one panel has more of them than all others together
    const found = await Promise.all(
      [states.slice(0, half), states.slice(half)].map((part) => withPage((page) => serious(page, panel, part))),
    );
    expect(found.flat()).toEqual([]);
  }, 600_000);

  it("cuts no table: what does not fit can be scrolled to, and its first column stays", ({ expect }) =>
    withPage(async (page) => {
      await page.setViewportSize({ width: 320, height: 900 });
      await open(page, panel, "done");
      await unfold(page);
      const tables = await page.evaluate(() =>
        [...document.querySelectorAll("table")].flatMap((table) => {
          const frame = table.closest(".table-scroll");
          const last = table.querySelector("tr:last-child > :last-child");
          const first = table.querySelector("tbody tr > :first-child");
          if (!frame || !last || !first || table.offsetParent === null) return [];
          frame.scrollLeft = frame.scrollWidth;
          const edge = frame.getBoundingClientRect();
          const isSeen = last.getBoundingClientRect().right <= edge.right + 1;
          const stays = Math.abs(first.getBoundingClientRect().left - edge.left) <= 1;
          return [{ text: table.textContent?.slice(0, 40), isSeen, stays, isWide: frame.scrollWidth > frame.clientWidth }];
        }),
      );
      expect(tables.filter(({ isSeen, stays }) => !isSeen || !stays)).toEqual([]);
      if (panel === "report") expect(tables.filter(({ isWide }) => isWide).length).toBeGreaterThan(1);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overhang).toBeLessThanOrEqual(0);
    }));
});

describe("the estimate of a long attack", () => {
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
  const show = (page: Page, name: string) =>
    page.evaluate((state) => {
      window.fixtureShow(state);
      return new Promise((painted) => setTimeout(() => requestAnimationFrame(painted)));
    }, name);

  it("takes the focus when it appears, and Escape gives it back where it was", async () => {
    const { page } = browser;
    await open(page, "inspector", "done");
    await page.getByText("Re-run", { exact: true }).first().focus();
    expect(await focused(page)).toBe("Re-run");
    await show(page, "running"); // the button goes while the estimate is made
    await show(page, "asked");
    expect(await focused(page)).toBe("Attack");
    const asking = page.locator(".card.info").filter({ has: page.locator(":focus") });
    expect(await asking.textContent()).toContain("PGD-4000, ε 0.3 takes about 4000 evaluations");
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => window.sent.at(-1))).toEqual({ type: "intent", intent: { kind: "dismiss" } });
    await show(page, "done");
    expect(await focused(page)).toBe("Re-run");
  });
});
