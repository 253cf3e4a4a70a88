// Opens Swagger UI in a real browser, tries `GET /products` out as a person would, and looks at the answer.
// The page must ask nobody but the server, and leave no error in the console.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const origin = process.env.JUMUN_ORIGIN ?? "http://127.0.0.1:8080";
const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM ?? places.find(existsSync);
assert(executablePath, "no Chromium: install the package `chromium`, or name one in CHROMIUM");

// As root, as in a container, Chromium runs only without its sandbox.
const chromiumSandbox = process.getuid() !== 0;
const browser = await chromium.launch({ executablePath, chromiumSandbox });
try {
  const page = await browser.newPage();
  const requests = [];
  const errors = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("requestfailed", (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    if (response.status() >= 400) errors.push(`${response.url()}: ${response.status()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));

  await page.goto(`${origin}/docs`);
  const operation = page.locator("#operations-products-list_products");
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === "/api/v1/products");
  await operation.getByRole("button", { name: "Execute" }).click();
  const answer = await answered;

  const live = operation.locator(".live-responses-table");
  await live.locator("tbody .response-col_status").waitFor();
  assert.match(await live.locator("tbody .response-col_status").innerText(), /^200\b/);
  const product = (await answer.json()).content[0].name;
  const shown = await live.locator(".response-col_description .highlight-code").first().innerText();
  assert(shown.includes(product), `the answer that is shown names ${product}: ${shown}`);

  const strangers = requests.filter((url) => !url.startsWith("data:") && !url.startsWith(`${origin}/`));
  assert.deepEqual(strangers, [], "the page asks other hosts");
  assert.deepEqual(errors, [], "the page has errors");
  const version = browser.version();
  console.log(`Chromium ${version} opened /docs and was shown ${product}; ${requests.length} requests, none elsewhere`);
} finally {
  await browser.close();
}
