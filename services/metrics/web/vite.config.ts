import { defineConfig, type Plugin } from "vite";

// `style-src-attr` stays closed too: everything on the page is styled through classes and the CSSOM.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The policy is put into the built page only: Vite's development client needs inline styles. */
function contentSecurityPolicy(): Plugin {
  return {
    name: "warroom-content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
    ],
  };
}

export default defineConfig({
  base: "./",
  plugins: [contentSecurityPolicy()],
  build: {
    rolldownOptions: { input: ["index.html", "rehearsal.html"] },
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  server: {
    // `npm run dev` shows a running war room; the page itself never contains sample data.
    proxy: { "/api": "http://127.0.0.1:8080" },
  },
});
