import { attachment, contentHeaders } from './content';

it('names a file so that every browser understands', () => {
  expect(attachment('ñ "a" 😀.txt')).toBe(
    `attachment; filename="_ _a_ __.txt"; filename*=UTF-8''%C3%B1%20%22a%22%20%F0%9F%98%80.txt`,
  );
  expect(attachment('line\r\nbreak')).not.toMatch(/[\r\n]/);
});

it.each(['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/xml'])(
  'never lets %s run',
  (type) => {
    const headers = contentHeaders('x', type);
    expect(headers['Content-Security-Policy']).toMatch(/^sandbox;/);
    expect(headers['X-Content-Type-Options']).toBe('nosniff');
  },
);

it.each(['video/mp4', 'audio/mpeg', 'image/png', 'application/pdf'])(
  'lets %s be shown, without scripts',
  (type) => {
    const policy = contentHeaders('x', type)['Content-Security-Policy'];
    expect(policy).not.toContain('sandbox');
    expect(policy).toContain("script-src 'none'");
  },
);
