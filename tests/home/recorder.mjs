// A line of the weaver's table recorded in Debian's Chromium, whose microphone is a stand-in that beeps; then the same page
// without JavaScript, with a file.
//   node recorder.mjs '{"url": "http://127.0.0.1:8125", "path": "/weaver/table?n=1", "chromium": "/usr/bin/chromium",
//     "file": "/path/to/voice.wav", "dark": "/path/to/picture.png"}'
// Prints JSON: what was seen with the microphone, without the permission for it, and without JavaScript.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const job = JSON.parse(process.argv[2]);
const RECORDS_MS = 1500;

const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required"],
});

async function open(more) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en-GB", colorScheme: "dark", ...more });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  await page.goto(job.url + job.path);
  await page.locator("summary", { hasText: "Record line 1" }).click();
  return { context, page, errors };
}

const note = async (page) => (await page.locator(".note").first().textContent()).trim();

async function recorded() {
  const { context, page, errors } = await open({ permissions: ["microphone"] });
  const row = page.locator(".recorder").first();
  await row.getByRole("button", { name: "Record" }).click();
  await page.waitForFunction(() => document.querySelector(".recorder [role=status]").textContent === "Recording");
  await page.waitForTimeout(RECORDS_MS); // so long somebody reads
  await row.getByRole("button", { name: "Stop" }).click();
  await page.waitForFunction(() => document.querySelector("input[type=file]").files.length === 1);
  const sent = await page.evaluate(() => { const one = document.querySelector("input[type=file]").files[0]; return [one.name, one.type, one.size]; });
  const barriers = await (async () => {
    await page.evaluate(AXE);
    return page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
      .filter((fault) => ["serious", "critical"].includes(fault.impact)).map((fault) => `${fault.id}: ${fault.nodes[0].html}`));
  })();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: job.dark, fullPage: true });
  await page.getByRole("button", { name: "Keep this voice" }).first().click();
  const said = await note(page);
  const heard = await page.evaluate(async () => {
    const audio = document.querySelector("audio[src^='/weaver/voice']");
    await audio.play();
    return audio.duration;
  });
  await context.close();
  return { sent, said, heard, errors, barriers, overflow };
}

async function refused() {
  const { context, page, errors } = await open({ permissions: [] });
  const row = page.locator(".recorder").first();
  await row.getByRole("button", { name: "Record" }).click();
  await page.waitForFunction(() => document.querySelector(".recorder [role=status]").textContent !== "");
  const said = await row.locator("[role=status]").textContent();
  await context.close();
  return { said, errors };
}

async function withoutScript() {
  const { context, page, errors } = await open({ javaScriptEnabled: false });
  const shown = await page.locator(".recorder").first().isVisible();
  await page.locator("input[type=file]").first().setInputFiles(job.file);
  await page.getByRole("button", { name: "Keep this voice" }).first().click();
  const said = await note(page);
  await context.close();
  return { shown, said, errors };
}

try {
  console.log(JSON.stringify({ recorded: await recorded(), refused: await refused(), withoutScript: await withoutScript() }));
} finally {
  await browser.close();
}
