// The tools that make the network bad, in the page: each fault is applied to the page's real socket and requests.
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

async function plan(browser: Parameters<typeof Person.at>[0], url: string): Promise<Person> {
  const ada = await Person.at(browser, url);
  await ada.addList("To do");
  await ada.isSaved();
  await expect(ada.page.locator(".network-tools"), "they are not there by themselves").toHaveCount(0);
  await ada.page.locator(".pill-words").click();
  await ada.page.getByLabel("Tools that make the network bad").check();
  await ada.page.keyboard.press("Escape");
  return ada;
}

const tool = (who: Person, name: string) => who.page.locator(".network-tools > .panel-head, .tools-body").getByRole("button", { name, exact: true });
const sign = (who: Person) => who.page.locator(".fault-sign");

test("offline and online: the page believes it, and a sign says that it is made up", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  await expect(sign(ada)).toHaveCount(0);
  await tool(ada, "Go offline").click();
  await expect(sign(ada)).toContainText("Simulated: offline");
  await ada.addCards("To do", "Made up offline");
  await ada.keeps(1, "offline");
  await tool(ada, "Go online").click();
  await ada.isSaved();
  await expect(sign(ada)).toHaveCount(0);
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Made up offline"]);
});

for (const [name, said] of [
  ["Refuse", "connections refused"],
  ["Captive portal", "captive portal"],
  ["Silent handshake", "connections not answered"],
] as const) {
  test(`${name}: what was typed waits, and arrives once it is over`, async ({ board, browser }) => {
    const ada = await plan(browser, board.editUrl);
    await tool(ada, name).click();
    await tool(ada, "Cut").click();
    await expect(sign(ada)).toContainText(said);
    await ada.addCards("To do", "Waits");
    await ada.keeps(1, name === "Captive portal" ? "captive" : undefined);
    await tool(ada, "Go offline").click();
    await tool(ada, "Reset").click();
    await ada.isSaved();
    const bo = await Person.at(browser, board.editUrl);
    await expect(bo.cards("To do")).toHaveText(["Waits"]);
  });
}

for (const name of ["Half-open to the server", "Half-open to the page"]) {
  test(`${name}: it is never said that all is saved`, async ({ board, browser }) => {
    const ada = await plan(browser, board.editUrl);
    await tool(ada, name).click();
    await ada.addCards("To do", "Into the silence");
    await expect(ada.page.locator('.pill[data-state="saving"]')).toBeVisible();
    await expect(ada.page.locator(".sequence")).toContainText("held");
    await tool(ada, "Reset").click();
    await ada.isSaved();
    const bo = await Person.at(browser, board.editUrl);
    await expect(bo.cards("To do")).toHaveText(["Into the silence"]);
  });
}

test("lost, doubled and reordered frames on a slow line: all arrives, once", async ({ board, browser }) => {
  test.setTimeout(120_000);
  const ada = await plan(browser, board.editUrl);
  const amount = async (name: string, value: string) => {
    await ada.page.getByLabel(name, { exact: true }).fill(value);
    await ada.page.getByRole("button", { name: `Apply ${name}` }).click();
  };
  await amount("Latency, ms", "50");
  await amount("Duplicate, %", "40");
  await amount("Reorder, %", "40");
  await amount("Lose, %", "20");
  await amount("Bandwidth, kbit/s", "200");
  await expect(sign(ada)).toContainText("50 ms late, 200 kbit/s, 20 % lost, 40 % twice, 40 % out of order");
  const titles = Array.from({ length: 20 }, (_, n) => `Card ${n + 1}`);
  await ada.addCards("To do", ...titles);
  // What a live line has swallowed is found out by patience; a new one asks at once.
  await tool(ada, "Go offline").click();
  await tool(ada, "Reset").click();
  // A first message that was doubled is one too many for the server: it says goodbye for good, and the page that it did.
  const retry = ada.page.locator('.pill[data-state="ended"]').getByRole("button", { name: "Retry now" });
  await expect(async () => {
    if (await retry.isVisible()) await retry.click({ timeout: 1_000 });
    await expect(ada.page.locator('.pill[data-state="saved"]')).toBeVisible({ timeout: 3_000 });
  }).toPass({ timeout: 30_000 });
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(titles);
});

test("closed with a code: the chart shows the code and the states, and it comes back", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  await ada.page.getByRole("button", { name: "Apply Close with code" }).click();
  const chart = ada.page.locator(".sequence");
  await expect(chart).toContainText("closed, 1012");
  await ada.isSaved();
  await expect(chart).toContainText("sync_request");
  await expect(chart).toContainText("live");
});

test("what was done is recorded, and plays again; a timeline has a seed", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  await ada.page.getByText("Timeline", { exact: true }).click();
  await tool(ada, "Record").click();
  await tool(ada, "Refuse").click();
  await tool(ada, "Go online").click();
  await tool(ada, "Stop recording").click();
  const text = ada.page.getByLabel("Steps, as for sheetbend chaos");
  const script = JSON.parse(await text.inputValue());
  expect(script.steps.map((step: { do: { fault: string } }) => step.do.fault)).toEqual(["refuse", "clear"]);

  script.steps[1].at_ms = script.steps[0].at_ms + 60_000;
  await text.fill(JSON.stringify(script));
  await ada.page.getByLabel("Seed").fill("7");
  await tool(ada, "Play").click();
  await expect(sign(ada)).toContainText("connections refused, a timeline");
  await text.fill("{");
  await tool(ada, "Play").click();
  await expect(ada.page.getByText("This is no timeline")).toBeVisible();
  await tool(ada, "Reset").click();
  await expect(sign(ada)).toHaveCount(0);
});

test("what is typed into the tools is no key of the board's", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  await ada.page.locator(".network-tools summary", { hasText: "Timeline" }).click();
  const steps = ada.page.getByLabel("Steps, as for sheetbend chaos");
  await steps.click();
  await ada.page.keyboard.type("?");
  await expect(steps).toHaveValue("?");
  await expect(ada.page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeHidden();
});

test("putting the tools away leaves no trace", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  await tool(ada, "Go offline").click();
  await expect(ada.page.locator('.pill[data-state="offline"]')).toBeVisible();
  await tool(ada, "Put the network tools away").click();
  await ada.isSaved();
  await expect(ada.page.locator(".network-tools, .fault-sign")).toHaveCount(0);
  await ada.page.reload();
  await ada.isSaved();
  await expect(ada.page.locator(".network-tools, .fault-sign")).toHaveCount(0);
});
