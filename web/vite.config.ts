// One static bundle without inline script: the server embeds what lands in the output folder.
import { createHash } from "node:crypto";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { bootScript } from "./src/boot.ts";

/** Emits the script that sets the colour scheme before the first paint as a file of its own, since the policy forbids inline script; preloads the fonts. */
function boot(): Plugin {
  const source = bootScript();
  const name = `assets/boot-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
  return {
    name: "volan-boot",
    configureServer(server) {
      server.middlewares.use(`/${name}`, (_request, response) => {
        response.setHeader("content-type", "text/javascript");
        response.end(source);
      });
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName: name, source });
    },
    transformIndexHtml: {
      order: "post",
      handler: (_html, { bundle }) => {
        const fonts = Object.keys(bundle ?? {}).filter((file) => file.endsWith(".woff2"));
        const boot = { tag: "script", attrs: { src: `/${name}` }, injectTo: "head-prepend" as const };
        return [
          boot,
          ...fonts.map((font) => ({
            tag: "link",
            attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: true, href: `/${font}` },
            injectTo: "head-prepend" as const,
          })),
        ];
      },
    },
  };
}

const server = process.env.VOLAN_URL ?? "http://127.0.0.1:8400";

export default defineConfig({
  plugins: [react(), boot()],
  build: {
    outDir: process.env.VOLAN_WEB_OUT ?? "../build/web",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": server, "/v1": server } },
});
