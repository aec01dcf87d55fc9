// Writes file.gz and file.br beside every text file of dist that gets smaller by it, so that the server never compresses.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("./dist", import.meta.url));
const text = /\.(js|mjs|css|html|svg|json|webmanifest|txt|map)$/;

for (const name of readdirSync(dist, { recursive: true })) {
  const file = join(dist, name);
  if (/\.(gz|br)$/.test(name)) {
    if (!statSync(file.replace(/\.(gz|br)$/, ""), { throwIfNoEntry: false })) rmSync(file);
    continue;
  }
  if (!text.test(name) || !statSync(file).isFile()) continue;
  const raw = readFileSync(file);
  const packed = {
    ".gz": gzipSync(raw, { level: 9 }),
    ".br": brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  };
  for (const [ending, bytes] of Object.entries(packed)) {
    if (bytes.length < raw.length * 0.95) writeFileSync(file + ending, bytes);
    else rmSync(file + ending, { force: true });
  }
}
