import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const hub = process.env['HUB_URL'] ?? 'http://127.0.0.1:8123';

// Libraries that pages of plugins load as files of the hub's own, at /vendor/ of both listeners.
const vendored = ['zxing-wasm/dist/iife/reader/index.js', 'zxing-wasm/dist/reader/zxing_reader.wasm'];
const vendorNames = ['zxing_reader.js', 'zxing_reader.wasm'];
const vendor = {
  name: 'vendor',
  apply: 'build' as const,
  writeBundle({ dir }: { dir?: string }): void {
    const to = join(dir ?? '', 'vendor');
    mkdirSync(to, { recursive: true });
    vendored.forEach((file, n) => copyFileSync(join('node_modules', file), join(to, vendorNames[n] ?? file)));
  },
};

export default defineConfig({
  plugins: [svelte(), vendor],
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
  test: { environment: 'jsdom', include: ['test/**/*.test.ts'], setupFiles: ['test/setup.ts'], restoreMocks: true },
});
