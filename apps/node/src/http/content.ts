/** Headers for bytes that somebody else made: shown where that is safe, never run in the page's origin. */

/** RFC 6266 with the RFC 8187 form for names beyond ASCII. */
function disposition(kind: 'inline' | 'attachment', name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

export const attachment = (name: string): string =>
  disposition('attachment', name);
export const inline = (name: string): string => disposition('inline', name);

/** Types that a browser shows without running anything of theirs. */
const passive =
  /^(video|audio)\/|^image\/(?!svg)|^application\/pdf$|^text\/plain/;

/** Headers of one published file: no sniffing, and a sandbox without scripts for whatever is not passive. */
export function contentHeaders(
  name: string,
  type: string,
): Record<string, string> {
  return {
    'Content-Type': type,
    'Content-Disposition': inline(name),
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Content-Security-Policy': passive.test(type)
      ? "default-src 'self'; script-src 'none'; style-src 'unsafe-inline'"
      : "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  };
}
