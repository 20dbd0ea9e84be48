// Looks at one page of Home Assistant as a person would, in Debian's Chromium.
//   node browser.mjs '{"url": "http://127.0.0.1:8123", "token": "...", "path": "/bedside-test/0", "chromium": "/usr/bin/chromium",
//                      "minimum_cards": 3, "shots": [{"file": "a.png", "width": 1024, "height": 900, "scheme": "dark"}]}'
// Prints JSON: one entry per shot with the visible text, the cards, the broken cards, the console's errors and what axe
// (axe-core) finds that keeps people out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const job = JSON.parse(process.argv[2]);
const QUIET_MS = 1500;   // a page whose text has not changed for so long is rendered
const WITHIN_MS = 45000;

// Walks all shadow roots: the frontend is made of nothing else. Runs inside the page.
function look() {
  const text = [], broken = [], pictures = [];
  let cards = 0, busy = 0;
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const words = node.textContent.trim();
      if (words) text.push(words);
      return;
    }
    if (node.nodeType === Node.ELEMENT_NODE) {
      const name = node.localName;
      if (["style", "script", "template", "ha-sidebar", "head"].includes(name)) return;
      if (!node.checkVisibility({ checkVisibilityCSS: true }) && getComputedStyle(node).display !== "contents") return;
      if (name === "ha-card") cards += 1;
      if (["hui-error-card", "hui-warning", "hui-warning-element", "hui-error-badge"].includes(name)) broken.push(name);
      if (["ha-circular-progress", "ha-spinner", "hass-loading-screen", "ha-fade-in"].includes(name)) busy += 1;
      if (name === "img" && node.src) {
        if (!node.complete) busy += 1;
        pictures.push({ src: node.src.replace(/\?.*/, ""), width: node.naturalWidth, height: node.naturalHeight });
      }
    }
    const children = node.localName === "slot" ? node.assignedNodes() : (node.shadowRoot ?? node).childNodes;
    children.forEach(walk);
  };
  walk(document.documentElement);
  return { cards, busy, text, broken, pictures };
}

// What axe finds serious or critical on the page. Where it is: the path through the shadow roots.
async function barriers(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations
      .filter((fault) => ["serious", "critical"].includes(fault.impact))
      .flatMap((fault) => fault.nodes.map((node) => ({ id: fault.id, where: node.target.flat(3).join(" > "), html: node.html.slice(0, 200) })));
  });
}

async function rendered(page) {
  const end = Date.now() + WITHIN_MS;
  let before = "", since = Date.now(), seen;
  while (Date.now() < end) {
    seen = await page.evaluate(look);
    const now = JSON.stringify(seen);
    if (now !== before) { before = now; since = Date.now(); }
    if (seen.cards >= (job.minimum_cards ?? 1) && !seen.busy && Date.now() - since >= QUIET_MS) return { ...seen, settled: true };
    await page.waitForTimeout(150);
  }
  return { ...seen, settled: false };
}

const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb"],
});
try {
  const answers = [];
  for (const shot of job.shots) {
    const context = await browser.newContext({
      viewport: { width: shot.width, height: shot.height }, colorScheme: shot.scheme, locale: "en-GB", timezoneId: "UTC",
      deviceScaleFactor: shot.scale ?? 1,
    });
    await context.addInitScript(([url, token]) => {
      localStorage.setItem("hassTokens", JSON.stringify({
        hassUrl: url, clientId: `${url}/`, access_token: token, token_type: "Bearer", refresh_token: "",
        expires_in: 1e8, expires: Date.now() + 1e11,
      }));
      localStorage.setItem("dockedSidebar", JSON.stringify("always_hidden"));
    }, [job.url, job.token]);
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
    await page.goto(job.url + job.path, { waitUntil: "domcontentloaded" });
    let seen = await rendered(page);
    // On a busy machine the frontend of 2025.4 now and then asks for its configuration before that has come, and its own
    // script fails ("reading 'recovery_mode'"). A person would load the page again; whatever is ours fails again.
    if (errors.some((text) => text.includes("recovery_mode"))) {
      errors.length = 0;
      await page.reload({ waitUntil: "domcontentloaded" });
      seen = await rendered(page);
    }
    // A page higher than the window is photographed whole: the window grows to it (the frontend scrolls inside).
    if (shot.whole) {
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: shot.width, height: Math.max(shot.height, height) });
      await page.waitForTimeout(600);
    }
    const overflow_px = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await page.screenshot({ path: shot.file });
    const barred = await barriers(page);
    answers.push({ file: shot.file, ...seen, overflow_px, errors, barriers: barred });
    await context.close();
  }
  console.log(JSON.stringify(answers));
} finally {
  await browser.close();
}
