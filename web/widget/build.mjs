// Builds the widget into ../dist: widget.js (the loader) and widget/app.js with widget/app.css (the chat in its frame).
// Runs after the console's build, which empties dist.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = fileURLToPath(new URL("../dist", import.meta.url));

/** One classic script without imports, for browsers from 2020 on (Chrome 85, Safari 14; WeChat's among them). */
const script = (entry, out, file) =>
  build({
    configFile: false,
    root: here,
    logLevel: "warn",
    // The classic runtime: preact's jsx-runtime would cost half a kilobyte.
    oxc: { jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment" } },
    build: {
      target: "es2021",
      cssTarget: ["chrome81", "safari13"],
      cssCodeSplit: false,
      outDir: out,
      emptyOutDir: false,
      copyPublicDir: false,
      modulePreload: false,
      rolldownOptions: {
        input: here + entry,
        output: { format: "iife", entryFileNames: file, assetFileNames: "app[extname]" },
      },
    },
  });

await script("loader.ts", dist, "widget.js");
await script("src/main.tsx", `${dist}/widget`, "app.js");
const css = `${dist}/widget/app.css`;
// color-scheme is put in here, because the minifier would add two variables for browsers that do not matter.
writeFileSync(css, `:root{color-scheme:light dark}${readFileSync(css, "utf8").replace(/\/\*.*?\*\//g, "")}`);
writeFileSync(`${dist}/.gitkeep`, "");
