// A headless Chromium that does as it is told, one JSON line at a time: {op, page, ...} in,
// {value} or {error} out. Every page is of a context of its own: cookies, caches, localStorage.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
const pages = [];

const operations = {
  async open() {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    return pages.push(await context.newPage()) - 1;
  },
  goto: ({ page, url }) => pages[page].goto(url).then(() => null),
  evaluate: ({ page, script }) => pages[page].evaluate(script),
  offline: ({ page, is }) => pages[page].context().setOffline(is),
  close: ({ page }) => pages[page].context().close(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...given } = JSON.parse(line);
  const answer = await operations[op](given).then(
    (value) => ({ value: value ?? null }),
    (problem) => ({ error: String(problem) }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
