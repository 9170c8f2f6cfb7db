// Pages that something on the way has changed: an extension, a proxy, a detector of telephone numbers, a translation. They are mounted
// anew instead of hydrated, and work.
import { type Page } from "@playwright/test";
import { Blocking } from "../support/blocking.ts";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

/** Applies `change` to the texts of a page's body. */
function inTexts(html: string, change: (text: string) => string): string {
  const [head, body] = html.split(/(?<=<body[^>]*>)/, 2) as [string, string];
  // Not in scripts: `(?<!…)` keeps the split at tags only.
  const parts = body.split(/(<script[\s\S]*?<\/script>|<!--[\s\S]*?-->|<[^>]*>)/);
  return head + parts.map((part) => (part.startsWith("<") || !part ? part : change(part))).join("");
}

const anew: Record<string, (html: string) => string> = {
  "an extension's element before the page": (html) => html.replace(/<body[^>]*>/, '$&<div id="extension"></div>'),
  "an extension's element in the middle of it": (html) => html.replace(/<\/h1>/, '$&<grammar-check></grammar-check>'),
  "a proxy's comment": (html) => html.replace(/<body[^>]*>/, "$&<!-- cached -->"),
  "a minifier that removes comments": (html) => html.replace(/<!--[\s\S]*?-->|<!>/g, ""),
  "masked e-mail addresses": (html) =>
    inTexts(html, (text) => text.replace(/\S+@\S+/g, '<a href="/cdn-cgi/l/email-protection" class="__cf_email__">[email&#160;protected]</a>')),
  "links around telephone numbers and dates": (html) => inTexts(html, (text) => text.replace(/[+\d][\d /]{6,}\d/g, '<a href="tel:1">$&</a>')),
  "a translation": (html) => inTexts(html, (text) => (text.trim() ? `<font dir="auto"><font dir="auto">${text}</font></font>` : text)),
  "a node too few": (html) => html.replace(/<span class="count">.*?<\/span>/, ""),
};

const hydrated: Record<string, (html: string) => string> = {
  "nothing": (html) => html,
  "a minifier that removes blanks": (html) => inTexts(html, (text) => text.trim()),
  "an extension's attributes": (html) => html.replace("<main", '<main data-extension="1"').replace(/<body/, '<body class="extension"'),
  "an extension's element after the page": (html) => html.replace("</body>", '<div id="extension"></div></body>'),
  "other words": (html) => inTexts(html, (text) => text.replace("Share", "Teilen")),
};

const isMounted = (page: Page) => page.evaluate(() => "mounted" in document.documentElement.dataset);

async function works(ada: Person, bo: Person): Promise<void> {
  await ada.isSaved();
  await ada.addCards("On 2026/12/24", "Bring the tree");
  await ada.isSaved();
  await expect(bo.cards("On 2026/12/24")).toHaveText(["Bring the tree"]);
  await bo.addCards("ada@example.org", "Answer her");
  await expect(ada.cards("ada@example.org")).toHaveText(["Answer her"]);
  await expect(ada.page.locator(".notice")).toHaveCount(0);
}

for (const [mounted, changes] of [
  [true, anew],
  [false, hydrated],
] as const) {
  for (const [name, change] of Object.entries(changes)) {
    test(`a page changed on the way is ${mounted ? "mounted anew" : "hydrated"}: ${name}`, async ({ browser, board, server }) => {
      const bo = await Person.at(browser, board.editUrl);
      await bo.addList("ada@example.org");
      await bo.addList("Call +44 20 7946 0958");
      await bo.addList("On 2026/12/24");
      await bo.addCards("Call +44 20 7946 0958", "From ada@example.org on 2026/12/24");
      await bo.isSaved();

      const proxy = await Blocking.start(() => Number(new URL(server.direct).port));
      proxy.open = true;
      proxy.change = change;
      const ada = await Person.at(browser, `${proxy.url}/b/${board.editKey}`);
      expect(await isMounted(ada.page)).toBe(mounted);
      await expect(ada.cards("Call +44 20 7946 0958")).toHaveText(["From ada@example.org on 2026/12/24"]);
      await works(ada, bo);

      const home = await (await browser.newContext()).newPage();
      await home.goto(proxy.url);
      await home.getByRole("button", { name: "New board", exact: true }).click();
      await Person.on(home).isSaved();
      await expect(home.locator(".notice")).toHaveCount(0);
      // An open WebSocket would keep the proxy.
      await Promise.all(browser.contexts().map((context) => context.close()));
      await proxy.dispose();
    });
  }
}

test("a page that is translated while it is open goes on showing what others do, and where it stands", async ({ browser, board, server }) => {
  const bo = await Person.at(browser, board.editUrl);
  await bo.addList("To do");
  await bo.addCards("To do", "One", "Two");
  await bo.isSaved();
  const ada = await Person.at(browser, board.editUrl);
  await expect(ada.cards("To do")).toHaveText(["One", "Two"]);
  const translate = () =>
    ada.page.evaluate(() => {
      const texts: Text[] = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) texts.push(walker.currentNode as Text);
      for (const text of texts) {
        if (!text.data.trim() || text.parentElement!.closest("script")) continue;
        const font = document.createElement("font");
        font.textContent = `<${text.data}>`;
        text.replaceWith(font);
      }
    });
  await translate();
  const cards = ada.page.locator(".card-open");
  await expect(cards).toHaveText(["<One>", "<Two>"]);
  const details = await bo.open("One");
  await details.getByLabel("Title").fill("Eins");
  await details.getByLabel("Title").press("Enter");
  await details.getByRole("button", { name: "Close" }).click();
  await expect(cards).toHaveText(["Eins", "<Two>"]);
  await bo.list("To do").getByRole("button", { name: "To do" }).click();
  await bo.page.getByLabel("List title").fill("Zu tun");
  await bo.page.getByLabel("List title").press("Enter");
  await expect(ada.list("Zu tun")).toBeVisible();
  await bo.addCards("Zu tun", "Drei");
  await expect(ada.list("Zu tun").locator(".count")).toHaveText("3");
  await ada.page.locator(".pill-words").click();
  await translate();
  await server.kill();
  await expect(ada.page.locator(".panel h2").first()).toContainText("does not answer", { timeout: 30_000 });
  await ada.page.keyboard.press("Escape");
  // The list's own title is translated by now.
  await ada.page.locator(".add-card").first().click();
  await ada.page.getByLabel("New card").fill("Vier");
  await ada.page.getByLabel("New card").press("Enter");
  await server.restart();
  await ada.isSaved();
  await expect(bo.cards("Zu tun").last()).toHaveText("Vier");
});

test("people's own words are marked as not to be translated, and pages as not to be changed", async ({ browser, board, request }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  const details = await ada.open("One");
  await details.getByLabel("Notes").fill("Her words");
  await details.getByLabel("Add a label").fill("hers");
  await details.getByLabel("Add a label").press("Enter");
  await details.getByRole("button", { name: "Close" }).click();
  await ada.isSaved();
  for (const words of [".board-title .in-place", ".list-title .in-place", ".card-open", ".card-notes", ".label"]) {
    expect(await ada.page.locator(words).first().evaluate((element: HTMLElement) => element.translate), words).toBe(false);
  }
  for (const url of [board.editUrl, new URL("/", board.editUrl).href, new URL("/shell", board.editUrl).href]) {
    const response = await request.get(url);
    expect(response.headers()["cache-control"], url).toContain("no-transform");
    expect(await response.text(), url).toContain('<meta name="format-detection" content="telephone=no, date=no, address=no, email=no"');
  }
});
