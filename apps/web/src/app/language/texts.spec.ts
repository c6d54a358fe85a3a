/** Every word of the page is in both dictionaries, and none is written into a template. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { en } from './en';
import { es } from './es';

/** The same in both languages, rightly. */
const alike = new Set([
  'title',
  'kinds.audio',
  'select.none',
  'ring.kinds.torrent',
  'detail.sourceKinds.dht',
  'settings.themes.auto',
]);

/** Names, which are the same in every language. */
const names = ['Storage'];

type Leaf = readonly [path: string, text: unknown];

function leaves(value: unknown, path = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, part]) =>
    leaves(part, path ? `${path}.${key}` : key),
  );
}

/** A text, or what a phrase makes of figures and names. */
const said = (text: unknown): unknown =>
  typeof text === 'function' ? text(2, 3, 'x') : text;

describe('the dictionaries', () => {
  const spanish = new Map(leaves(es));

  it.each(leaves(en))('have %s in both languages', (path, english) => {
    const text = said(english);
    const other = said(spanish.get(path));
    expect(typeof text).toBe('string');
    expect(text).not.toBe('');
    expect(other).not.toBe('');
    const isName = /^[\p{Lu}\d][\p{L}\d&.-]*$/u.test(String(text));
    if (!alike.has(path) && !isName) expect(other).not.toBe(text);
  });
});

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(({ name }) => /(?<!spec)\.(ts|html)$/.test(name))
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** The template of a component's file: the file itself, or what stands between the quotes. */
function templateOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (path.endsWith('.html')) return text;
  return /\n {2}template: `([^`]*)`/.exec(text)?.[1] ?? '';
}

/** Words outside bindings, control flow and tags, and in attributes that are read out or shown. */
function wordsIn(template: string): string[] {
  const bare = template
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/\{\{[\s\S]*?\}\}/g, '');
  const attributes = [
    ...bare.matchAll(/\s(?:title|placeholder|alt|aria-label)="([^"]*)"/g),
  ].map(([, text]) => text);
  const texts = bare
    .replace(/<[a-z/](?:"[^"]*"|[^>"])*>/gi, '\n')
    .replace(/@(if|else if|for|switch|case)\s*\([^{]*\)[^{]*\{/g, '\n')
    .replace(/@(else|default|empty)\s*\{/g, '\n')
    .replace(/@let [^;]*;/g, '\n')
    .split('\n');
  return [...attributes, ...texts].filter((text) => /\p{L}{2,}/u.test(text));
}

describe('the templates', () => {
  it.each(
    sources(join(__dirname, '..'))
      .map((path) => [path.split('/app/').at(-1), templateOf(path)] as const)
      .filter(([, template]) => template !== ''),
  )('of %s hold no words of their own', (_, template) => {
    const words = wordsIn(template).map((text) => text.trim());
    expect(words.filter((word) => !names.includes(word))).toEqual([]);
  });

  it('would be caught with some', () => {
    expect(wordsIn('<p title="Hello">{{ x }} · left <b>now</b></p>')).toEqual([
      'Hello',
      ' · left ',
      'now',
    ]);
  });
});
