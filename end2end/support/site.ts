import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** A copy of the site with another icon: another version. Returns its folder, for `--site`. */
export async function anotherSite(): Promise<string> {
  const project = path.resolve(import.meta.dirname, "../..");
  const site = await mkdtemp(path.join(tmpdir(), "sheetbend-site-"));
  await cp(path.join(project, "target/site"), site, { recursive: true });
  const icon = path.join(site, "favicon.svg");
  await writeFile(icon, `${await readFile(icon, "utf8")}\n`);
  return site;
}
