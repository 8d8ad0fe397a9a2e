import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { defineConfig } from 'vite'

// The widget is one file without any library: a page loads it with one tag, under a policy that names the hub alone.
export default defineConfig({
  plugins: [
    {
      name: 'compressed',
      apply: 'build',
      closeBundle() {
        writeFileSync('dist/widget/widget.js.gz', gzipSync(readFileSync('dist/widget/widget.js'), { level: 9 }))
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
