import * as fc from 'fast-check';
import { MetainfoError } from './metainfo-error';
import { safeElement, safePath, uniquePaths } from './safe-path';

const bytesOf = (text: string) => Buffer.byteLength(text);
const unique = (...paths: string[]) =>
  uniquePaths(paths.map((path) => ({ path: path.split('/'), pad: false }))).map(
    (path) => path.join('/'),
  );

/** Elements that try: separators, dots, controls, marks, broken UTF-8, and anything. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .array(
      fc.constantFrom(
        '.',
        '..',
        '/',
        '\\',
        '\0',
        '\x7f',
        '\u202e',
        '\u200d',
        '\ufeff',
        ' ',
        'a',
        'é',
        'CON',
        ':',
        '💈',
      ),
      { maxLength: 200 },
    )
    .map((parts) => Buffer.from(parts.join(''))),
);

describe('safeElement', () => {
  it.each([
    'The WIRED CD - Rip. Sample. Mash. Share',
    'Übergrößenträger (2021) [50%] #1 & co.flac',
    'Война будущего.mkv',
    '別の世界.txt',
    '👨‍👩‍👧‍👦 family.jpg',
    '❤️‍🔥.png',
    'می‌خواهم.txt',
    'क्‍ष.txt',
    '.hidden',
    '...',
    'a...b',
    'trailing dots...',
    ' spaces round ',
    'con',
    'what? "quoted": yes|no *.txt',
    'x'.repeat(255),
    `${'x'.repeat(251)}.mp4`,
    '€'.repeat(85),
  ])('leaves %j alone', (name) => {
    expect(safeElement(name)).toBe(name);
    expect(safeElement(Buffer.from(name))).toBe(name);
  });

  it.each([
    ['../../etc/passwd', '....etcpasswd'],
    ['..', ''],
    ['.', ''],
    ['/', ''],
    ['./.', ''],
    ['a\u202egpj.exe', 'agpj.exe'],
    ['pass\u200dword', 'password'],
    ['line\nbreak', 'line_break'],
    ['\ud800lone', '_lone'],
  ])('makes %j into %j', (name, safe) => {
    expect(safeElement(name)).toBe(safe);
  });

  it('cuts a long name before its extension, between characters', () => {
    const cut = safeElement(`${'é'.repeat(200)}.mp4`);
    expect(cut).toBe(`${'é'.repeat(125)}.mp4`);
    expect(safeElement(`a.${'b'.repeat(300)}`)).toHaveLength(255);
  });

  it.each([
    ['a<b>:"c|?*', 'a_b___c___'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['COM1.tar.gz', '_COM1.tar.gz'],
    ['console', 'console'],
    ['end. . .', 'end'],
  ])('makes %j into %j for Windows', (name, safe) => {
    expect(safeElement(name, { windows: true })).toBe(safe);
  });

  it.each([false, true])(
    'is safe whatever goes in, and then stays as it is (windows: %s)',
    (windows) => {
      fc.assert(
        fc.property(hostile, (element) => {
          const [safe] = safePath([element], { windows });
          expect(safe).not.toMatch(/^\.{0,2}$/);
          expect(safe).not.toMatch(/[/\\\p{Cc}\u202a-\u202e\u200b\ufeff]/u);
          expect(bytesOf(safe)).toBeLessThanOrEqual(255);
          if (windows) {
            expect(safe).not.toMatch(/[<>:"|?*]|[. ]$|^(con|nul)(\.|$)/i);
          }
          expect(safePath([safe], { windows })).toEqual([safe]);
        }),
        { numRuns: 1_000 },
      );
    },
  );
});

describe('safePath', () => {
  it('puts something in the place of what vanished', () => {
    expect(safePath(['a', '..', '', 'b'])).toEqual(['a', '_', '_', 'b']);
  });

  it('bounds the depth', () => {
    expect(safePath(Array(100).fill('d'))).toHaveLength(100);
    expect(() => safePath(Array(101).fill('d'))).toThrow(MetainfoError);
  });
});

describe('uniquePaths', () => {
  it('numbers what differs in case or normalisation only', () => {
    expect(unique('t/b.txt', 't/B.TXT', 't/é', 't/e\u0301')).toEqual([
      't/b.txt',
      't/B.1.TXT',
      't/é',
      't/e\u0301.1',
    ]);
  });

  it('lets no file take a folder’s name, before or after it', () => {
    expect(unique('t/a', 't/A/b', 't/a/b')).toEqual([
      't/a.1',
      't/A/b',
      't/a/b.1',
    ]);
  });

  it('keeps numbered names within an element’s bytes', () => {
    const long = `${'x'.repeat(251)}.mp4`;
    const [, second] = unique(long, long);
    expect(second).toBe(`${'x'.repeat(249)}.1.mp4`);
  });

  it('refuses a crowd under one name', () => {
    expect(unique(...Array(51).fill('t/same'))).toHaveLength(51);
    expect(() => unique(...Array(52).fill('t/same'))).toThrow(/share one name/);
  });

  it('keeps pads out of it', () => {
    const files = [
      { path: ['t', '.pad', '7'], pad: true },
      { path: ['t', '.pad'], pad: false },
      { path: ['t', '.pad', '7'], pad: true },
    ];
    expect(uniquePaths(files)).toEqual(files.map(({ path }) => path));
  });

  it('gives every stored file a place of its own', () => {
    const element = fc.constantFrom('a', 'A', 'b', 'a.1', 'é', 'e\u0301');
    const path = fc.array(element, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(path, { maxLength: 30 }), (paths) => {
        const keys = uniquePaths(
          paths.map((elements) => ({ path: elements, pad: false })),
        ).map((elements) => elements.join('/').normalize('NFC').toLowerCase());
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) {
          expect(keys.some((other) => other.startsWith(`${key}/`))).toBe(false);
        }
      }),
    );
  });
});
