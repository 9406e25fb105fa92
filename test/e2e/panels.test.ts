import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { startFixtures } from "../../webview/fixtures/serve.mjs";
import { openBrowser } from "../harness/browser.mjs";

/** Panels on their fixtures, used as a person does. */
let browser: Awaited<ReturnType<typeof openBrowser>>;
let fixtures: Awaited<ReturnType<typeof startFixtures>>;
let page: Page;
beforeAll(async () => {
  fixtures = await startFixtures();
  browser = await openBrowser({ width: 900, height: 900 });
  page = browser.page;
});
afterAll(async () => {
  await browser?.close();
  fixtures?.stop();
});
beforeEach(() => page.evaluate(() => sessionStorage.clear()).catch(() => undefined));

const open = (panel: string, state: string) => page.goto(`${fixtures.url}?panel=${panel}&state=${state}&theme=dark`);
const unfold = (title: string) => page.locator("summary", { hasText: new RegExp(`^${title}$`) }).click();
const card = () => page.locator("main > details", { has: page.locator("summary", { hasText: /^Try a defence$/ }) });
const isStale = () => card().evaluate((element) => element.querySelector(".stale") !== null);

it("every defence of the card can be removed, and the list stays empty", async () => {
  await open("inspector", "done");
  await unfold("Try a defence");
  for (const left of [1, 0]) {
    await card().locator(".chain-item [title^=Remove]").first().click();
    expect(await card().locator(".chain-item").count()).toBe(left);
    // The host answers what it was asked.
    await page.evaluate(() => {
      const { intent } = window.sent.at(-1) as { intent: { params: object } };
      const answer = { status: "done", params: intent.params, result: null, error: null };
      window.postMessage({ type: "update", update: { kind: "card", id: "defense", card: answer }, pictures: [] });
    });
    await page.waitForTimeout(100);
  }
  await page.evaluate(() => window.fixtureShow("done"));
  await page.waitForTimeout(100);
  expect(await card().locator(".chain-item").count()).toBe(0);
  expect(await card().locator("canvas:visible").count()).toBe(0);
  const asked = await page.evaluate(() => JSON.stringify(window.sent.at(-1)));
  expect(JSON.parse(asked)).toMatchObject({ intent: { kind: "card", id: "defense", params: { defenses: [] } } });
});

it("a wrong setting is reported at once, and results of the earlier ones are marked", async () => {
  await open("inspector", "done");
  await unfold("Try a defence");
  expect([await card().locator(".fault").isVisible(), await isStale()]).toEqual([false, false]);
  const depth = card().locator("vscode-text-field").first().locator("input");
  for (const wrong of ["-1", "abc"]) {
    await depth.fill(wrong);
    expect(await card().locator(".fault[role=alert]").textContent()).toContain("Depth:");
    expect(await isStale()).toBe(true);
    expect(await card().getByText("from the earlier settings").isVisible()).toBe(true);
  }
  await depth.fill("2");
  expect([await card().locator(".fault").isVisible(), await isStale()]).toEqual([false, false]);
});

it("a long class name is cut beside its picture, its score never", async () => {
  await open("inspector", "long");
  await unfold("Try a defence");
  const scores = page.locator(".prediction > .score:visible");
  expect(await scores.count()).toBeGreaterThan(1);
  const cut = await scores.evaluateAll((all) =>
    all.filter((score) => {
      const [own, caption] = [score.getBoundingClientRect(), score.closest("figcaption")?.getBoundingClientRect()];
      return !caption || own.right > caption.right + 1 || own.width < 30;
    }),
  );
  expect(cut).toEqual([]);
});

it("a list closes when something is chosen, and has room for its longest option", async () => {
  await open("inspector", "done");
  await unfold("Parameters");
  const attack = page.locator(".parameters vscode-dropdown[aria-label=Attack]");
  const width = await attack.evaluate((element) => element.clientWidth);
  await attack.click();
  await attack.locator("vscode-option", { hasText: "N-pixel" }).click();
  await page.waitForTimeout(100);
  expect(await attack.evaluate((element: HTMLElement & { open?: boolean; value?: string }) => [element.open, element.value])).toEqual([
    false,
    "nPixel",
  ]);
  expect(await attack.evaluate((element) => element.clientWidth)).toBe(width);
});

it("unfolded sections are unfolded again when the tab comes back", async () => {
  await open("inspector", "done");
  await unfold("Try a defence");
  await page.waitForTimeout(100);
  await page.reload();
  await page.waitForTimeout(300);
  expect(await page.locator("main > details[open] > summary").allInnerTexts()).toEqual(["Try a defence"]);
});

it("a report's table shows all its rows, and scrolls only where there are very many", async () => {
  await open("report", "certified");
  const hidden = (more: number) =>
    page
      .locator(".table-scroll")
      .first()
      .evaluate((frame, rows) => {
        const body = frame.querySelector("tbody");
        for (let i = 0; i < rows; i++) body?.append(body.lastElementChild?.cloneNode(true) ?? "");
        return frame.scrollHeight - frame.clientHeight;
      }, more);
  expect(await hidden(8)).toBe(0);
  expect(await hidden(20)).toBeGreaterThan(0);
});

it("shows the picture of the point under the cursor, and none beside it", async () => {
  await open("figures", "done");
  const mark = page.locator("[data-picture]").first();
  await mark.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await mark.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const shown = page.locator(".point-picture");
  expect(await shown.count()).toBe(0);
  await page.mouse.move(x + width / 2, y + height / 2);
  await shown.locator("img").waitFor();
  expect(await shown.locator("img").evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth)).toBe(28);
  expect(await shown.locator("figcaption").textContent()).toBe("image 0: class 0");
  await page.screenshot({ path: "artifacts/screenshots/point-picture.png" });
  await page.mouse.move(2, 2);
  expect(await shown.count()).toBe(0);
});
