import { fileURLToPath } from "node:url";
import vueI18n from "@intlify/unplugin-vue-i18n/vite";
import tailwindcss from "@tailwindcss/vite";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

const path = (p: string) => fileURLToPath(new URL(p, import.meta.url));
const server = process.env.HEARBACK_DEV ?? "http://127.0.0.1:8080";

// Messages are compiled at build time (no eval, strict CSP); nothing is inlined, so the policy can be 'self' only.
export default defineConfig({
  root: path("./console"),
  base: "/",
  resolve: { alias: { "@": path("./console/src") } },
  plugins: [
    vue(),
    tailwindcss(),
    vueI18n({
      include: [path("./console/src/locales/**")],
      runtimeOnly: true,
      compositionOnly: true,
      fullInstall: false,
      dropMessageCompiler: true,
    }),
  ],
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: {
    outDir: path("./dist"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // Few files for the first load: what every screen needs is two, the rest comes with its screen.
        codeSplitting: {
          groups: [
            {
              name: "vendor",
              test: /node_modules[\\/](@vue|vue|vue-router|pinia|vue-i18n|@intlify|openapi-fetch)[\\/]/,
              priority: 2,
            },
            {
              name: "app",
              test: /console[\\/]src[\\/](ui[\\/](?!Copy|Switch|Dialog)|stores|live|api|lib[\\/](?!list|highlight|uploads|limits|ring|sound|letter|addresses))/,
              priority: 1,
            },
          ],
        },
      },
    },
  },
  // The AMR decoder is compiled C; its unused helpers know eval, which the page's policy forbids anyway.
  worker: { rolldownOptions: { checks: { eval: false } } },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/ws", "/c/", "/openapi.json"].map((p) => [p, { target: server, ws: p === "/ws" || p === "/c/" }]),
    ),
  },
  test: {
    root: path("."),
    include: ["test/**/*.test.ts"],
    environment: "happy-dom",
  },
});
