// A client of the field in Chromium, on a page of another origin than the gateway: sends `count` events, one every
// `pause` ms, and tells which of them an answer said to be taken, and which were sent without one.
// node browser.mjs <sdk> <gateway> <key> <count> <pause> <seconds to wait for what is retried>
import http from "node:http";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const [sdk, host, key] = process.argv.slice(2, 5);
const [count, pause, patience] = process.argv.slice(5, 8).map(Number);
const bundled = await build({
  entryPoints: [new URL("pages.mjs", import.meta.url).pathname], bundle: true, write: false, format: "iife", logLevel: "error",
});
const page_server = http.createServer((request, response) => {
  const isScript = request.url === "/pages.js";
  response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? bundled.outputFiles[0].text : '<!doctype html><title>A shop</title><script src="/pages.js"></script>');
});
await new Promise((resolve) => page_server.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const page = await browser.newPage();
const delivered = new Set();
const numbers = (body) => [...decoded(body).matchAll(/number-(\d+)/g)].map((found) => Number(found[1]));
// Snowplow packs what is self-describing in base64
const decoded = (body) => body + [...body.matchAll(/"ue_px":"([^"]+)"/g)].map((found) => Buffer.from(found[1], "base64url")).join("");
const told = [];
page.on("console", (message) => message.type() === "error" && told.push(message.text()));
page.on("response", (response) => {
  const request = response.request();
  if (request.method() === "POST" && response.status() === 200) numbers(request.postData() ?? "").forEach((one) => delivered.add(one));
});
await page.goto(`http://127.0.0.1:${page_server.address().port}/prices?utm_source=news`);
await page.evaluate(
  async ([sdk, host, key, count, pause]) => {
    const send = window.clients[sdk](host, key);
    for (let number = 0; number < count; number++) {
      try {
        Promise.resolve(send(number)).catch(() => {});
      } catch (error) {
        console.error(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  },
  [sdk, host, key, count, pause],
);
const until = Date.now() + patience * 1000;
while (delivered.size < count && Date.now() < until) {
  await page.evaluate(() => window.lookAtPage?.());
  await page.waitForTimeout(500);
}
await page.waitForTimeout(300);
await browser.close();
console.log(JSON.stringify({ delivered: [...delivered], failed: [], told: told.slice(0, 5) }));
process.exit(0);
