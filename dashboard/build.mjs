/**
 * Builds the page: `src/` → `dist/dashboard/` (or the folder given), ready to be served as static files under `default-src 'self'`.
 *
 * Names carry a hash of the content, so a server may let browsers keep everything under `assets/` for ever. The script that sets
 * the theme is a file of its own, loaded before the first paint: inline it would need a hole in the policy.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundle } from 'lightningcss';
import { rolldown } from 'rolldown';

const source = fileURLToPath(new URL('.', import.meta.url));
const target = resolve(process.argv[2] ?? join(source, '../dist/dashboard'));

async function script(path) {
  const build = await rolldown({
    input: join(source, path),
    tsconfig: join(source, 'tsconfig.json'),
    transform: { target: 'es2022' },
    logLevel: 'warn',
  });
  const banner = '/*! Licences of what is inside: licences.txt */';
  const { output } = await build.generate({ format: 'iife', minify: true, banner });
  await build.close();
  return output[0].code;
}

/** What goes into the page from others, whose licences go with it. */
const INSIDE = ['preact', '@preact/signals', '@preact/signals-core', 'uplot'];

function licences() {
  const text = (name) => readFileSync(join(source, '../node_modules', name, 'LICENSE'), 'utf8');
  return INSIDE.map((name) => `${name}\n\n${text(name)}`).join('\n\n');
}

const assets = {
  'theme.js': script('src/theme-script.ts'),
  'page.js': script('src/main.tsx'),
  'page.css': bundle({ filename: join(source, 'src/styles/page.css'), minify: true }).code,
  'mark.svg': readFileSync(join(source, 'src/mark.svg')),
};

rmSync(target, { recursive: true, force: true });
mkdirSync(join(target, 'assets'), { recursive: true });

const sizes = [];
function write(path, content) {
  writeFileSync(join(target, path), content);
  sizes.push([path, content.length, gzipSync(content).length]);
}

let html = readFileSync(join(source, 'index.html'), 'utf8');
for (const [name, pending] of Object.entries(assets)) {
  const content = Buffer.from(await pending);
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 8);
  const path = `assets/${name.replace('.', `-${hash}.`)}`;
  write(path, content);
  html = html.replaceAll(`{{${name}}}`, path);
}
write('index.html', Buffer.from(html));
write('licences.txt', Buffer.from(licences()));

const total = ['total', ...[1, 2].map((column) => sizes.reduce((sum, row) => sum + row[column], 0))];
for (const [path, bytes, zipped] of [...sizes, total]) {
  console.log(`  ${path.padEnd(28)} ${kilobytes(bytes)} ${kilobytes(zipped)} gzip`);
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1).padStart(7)} KB`;
}
