import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const hub = process.env['HUB_URL'] ?? 'http://127.0.0.1:8123';

export default defineConfig({
  plugins: [svelte()],
  base: '/',
  build: {
    outDir: '../hub/web/ui_dist',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows files of our own only: no data: address, no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: hub, ws: true } } },
  // Svelte's browser build is needed to mount components in tests.
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  test: { environment: 'jsdom', include: ['test/**/*.test.ts'], restoreMocks: true },
});
