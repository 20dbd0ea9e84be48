// Looks at the house page as a person would, in Debian's Chromium: its own page, no frontend around it.
//   node page.mjs '{"url": "http://127.0.0.1:8125", "chromium": "/usr/bin/chromium", "looks": [
//     {"path": "/tonight", "width": 390, "height": 844, "scheme": "dark", "file": "a.png", "tab": true, "script": true,
//      "steps": [{"press": "Tab"}, {"click": "button.great"}, {"fill": "#pin", "with": "714285"}]}]}'
// Prints JSON, one entry a look: text, address, overflow, the console's errors, every address that was asked for, what axe
// finds serious, and with "tab" every control with how the keyboard came to it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const job = JSON.parse(process.argv[2]);

async function barriers(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations
      .filter((fault) => ["serious", "critical"].includes(fault.impact))
      .flatMap((fault) => fault.nodes.map((node) => `${fault.id}: ${node.target.flat(3).join(" > ")} ${node.html.slice(0, 160)}`));
  });
}

// Every control, numbered; then Tab until it comes round. A control is reached, shows that it has the focus, and is in view.
async function walk(page) {
  const controls = await page.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), textarea, select, summary, audio[controls]")];
    return all.filter((one) => one.checkVisibility({ checkVisibilityCSS: true }) && !one.disabled).map((one, number) => {
      one.dataset.control = number;
      const box = one.getBoundingClientRect();
      const label = one.closest("label")?.getBoundingClientRect() ?? box;
      const what = `${one.localName} ${one.id || one.getAttribute("href") || one.textContent.trim().slice(0, 40)}`;
      return { what, height: Math.max(box.height, label.height), width: Math.max(box.width, label.width), is_skip: one.classList.contains("skip"),
        is_in_text: one.localName === "a" && getComputedStyle(one).display === "inline",
        radio: one.type === "radio" ? one.name : "", reached: false };
    });
  });
  for (let presses = 0; presses < controls.length * 2 + 10; presses += 1) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(() => {
      const one = document.activeElement;
      if (!one || one === document.body) return null;
      const style = getComputedStyle(one), box = one.getBoundingClientRect();
      return { number: one.dataset.control, outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        in_view: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth };
    });
    if (!now || now.number === undefined) continue;
    Object.assign(controls[now.number], { reached: true, outlined: now.outlined, in_view: now.in_view });
  }
  // Radio buttons of one name are one stop of Tab; arrows go on from there.
  for (const one of controls) if (one.radio && controls.some((other) => other.radio === one.radio && other.reached)) Object.assign(one, { reached: true, outlined: one.outlined ?? true, in_view: true });
  return controls;
}

// With "frame" inside the page's one frame.
async function step(page, one) {
  const at = one.frame ? page.frameLocator("iframe") : page;
  if (one.press) await page.keyboard.press(one.press);
  if (one.fill) await at.locator(one.fill).fill(one.with);
  if (one.click) await Promise.all([page.waitForLoadState("load"), at.locator(one.click).first().click()]);
  if (one.wait) await at.locator(one.wait).first().waitFor({ timeout: 15000 });
  if (one.wait_text) await at.getByText(one.wait_text).first().waitFor({ timeout: 15000 });
}

const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],  // a microphone that hums
});
try {
  const answers = [];
  for (const look of job.looks) {
    const context = await browser.newContext({
      viewport: { width: look.width, height: look.height }, colorScheme: look.scheme ?? "light", locale: look.locale ?? "en-GB",
      timezoneId: "UTC", javaScriptEnabled: look.script ?? true, reducedMotion: "reduce", deviceScaleFactor: look.scale ?? 1,
    });
    const page = await context.newPage();
    const errors = [], asked = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(job.url + look.path, { waitUntil: "load" });
    for (const one of look.steps ?? []) await step(page, one);
    await page.waitForLoadState("load");
    const seen = { path: look.path, address: new URL(page.url()).pathname, errors, asked };
    seen.html = await page.content();
    if (look.script ?? true) {
      seen.text = await page.evaluate(() => document.body.innerText);
      seen.focused = await page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent.trim().slice(0, 60));
      seen.overflow_px = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      seen.ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      seen.unloaded = await page.evaluate(async () => {
        const pictures = [...document.images];
        for (const one of pictures) one.loading = "eager";
        await Promise.all(pictures.map((one) => one.decode().catch(() => 0)));
        return pictures.filter((one) => !one.naturalWidth).map((one) => one.src);
      });
      seen.barriers = await barriers(page);
    }
    if (look.file) await page.screenshot({ path: look.file, fullPage: look.whole ?? false });
    if (look.tab) seen.controls = await walk(page);
    answers.push(seen);
    await context.close();
  }
  console.log(JSON.stringify(answers));
} finally {
  await browser.close();
}
