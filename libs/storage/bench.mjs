// Runs storage.bench.ts as it stands: node libs/storage/bench.mjs [MiB]
// TypeScript is compiled on the way in, and @dnd/NAME is found in its folder.
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';

const libs = dirname(import.meta.dirname);
registerHooks({
  resolve(specifier, context, next) {
    const lib = /^@dnd\/([a-z-]+)$/.exec(specifier);
    if (lib) {
      const index = join(libs, lib[1], 'src', 'index.ts');
      return { url: pathToFileURL(index).href, shortCircuit: true };
    }
    if (specifier.startsWith('.') && context.parentURL?.endsWith('.ts')) {
      const url = new URL(`${specifier}.ts`, context.parentURL);
      if (existsSync(url)) return { url: url.href, shortCircuit: true };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    if (!url.endsWith('.ts')) return next(url, context);
    const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), {
      swcrc: false,
      filename: fileURLToPath(url),
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});

const { runStorageBenchmarks } = await import('./src/storage.bench.ts');
await runStorageBenchmarks({
  mebibytes: Number(process.argv[2] ?? 1024),
  pieceLength: Number(process.argv[3] ?? 2 ** 20),
  rounds: Number(process.argv[4] ?? 3),
  workerUrl: new URL('./src/hash-worker.ts', import.meta.url),
  print: console.log,
});
