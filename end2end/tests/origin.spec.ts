import { allowErrors, createBoard, expect, status, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

// A proxy that lets everything pass, and changes `Host`.
test.use({ serverOptions: { blocked: true } });

for (const over of ["a WebSocket", "HTTP"]) {
  test(`a page at an address that the server does not allow says so over ${over}, and what to do`, async ({ server, browser }) => {
    const proxy = server.proxy!;
    proxy.open = over === "a WebSocket";
    const board = await createBoard(server.url);
    const ada = await Person.at(browser, board.editUrl);
    await ada.addList("To do");
    await ada.isSaved();
    allowErrors(status(403));
    proxy.host = "plan.example.org:8443";
    await ada.page.reload();

    const button = ada.page.locator('.pill[data-state="wrong-address"]');
    await expect(button).toContainText("Address not allowed", { timeout: 30_000 });
    const banner = ada.page.locator('[data-strip="ended"]');
    await expect(banner).toContainText("This server does not allow its pages at this address.");
    await expect(banner).toContainText("ask whoever runs it");
    await ada.addCards("To do", "Kept");
    await ada.keeps(1, "wrong-address");
    const option = `--allow-origin ${new URL(server.url).host}`;
    expect(server.log.split(option).length - 1, "the log says it once").toBe(1);

    proxy.host = undefined;
    await button.getByRole("button", { name: "Retry now" }).click();
    await ada.isSaved();
  });
}
