// After the build: writes a .gz beside each text asset and checks the budget of script for the first page.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { constants, gzipSync } from "node:zlib";

const out = resolve(process.env.VOLAN_WEB_OUT ?? new URL("../../build/web", import.meta.url).pathname);
const limit = 250 * 1000;
const sizes = new Map();
const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
rmSync(join(out, "manifest.json"));

for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|html|svg|json|txt)$/.test(entry.name)) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const packed = gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION });
  sizes.set(relative(out, path), packed.length);
  writeFileSync(`${path}.gz`, packed);
}

/** The scripts that opening a page loads: its chunk and everything that imports statically, transitively. */
function scripts(key, found = new Set()) {
  const chunk = manifest[key];
  if (!chunk || found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const imported of chunk.imports ?? []) scripts(imported, found);
  return found;
}

let failed = false;
const entry = "index.html";
for (const page of [undefined, ...Object.keys(manifest).filter((key) => key.startsWith("src/pages/"))]) {
  const files = scripts(entry);
  if (page) scripts(page, files);
  const total = [...files].reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
  const over = total > limit;
  failed ||= over;
  console.log(`${over ? "OVER" : "ok  "} ${(total / 1000).toFixed(1).padStart(6)} kB gzip  ${page ?? "shell"}`);
}
if (failed) {
  console.error(`A page loads more than ${limit / 1000} kB of gzip script: load the part on demand instead.`);
  process.exit(1);
}
