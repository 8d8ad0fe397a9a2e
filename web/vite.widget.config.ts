import { readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig } from 'vite'

// The widget is one file without any library: a page loads it with one tag, under a policy that names the hub alone.
export default defineConfig({
  plugins: [
    {
      name: 'compressed',
      apply: 'build',
      closeBundle() {
        const script = readFileSync('dist/widget/widget.js')
        writeFileSync('dist/widget/widget.js.gz', gzipSync(script, { level: 9 }))
        writeFileSync('dist/widget/widget.js.br', brotliCompressSync(script))
      },
    },
  ],
  build: {
    outDir: 'dist/widget',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      input: 'src/widget/main.ts',
      output: { format: 'iife', entryFileNames: 'widget.js' },
    },
  },
})
