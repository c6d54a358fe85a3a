/** What went wrong, in words: the node's own explanation where there is one. */
import { HttpErrorResponse } from '@angular/common/http';
import type { Texts } from '../language/en';

export function problemText(error: unknown, texts: Texts): string {
  if (error instanceof HttpErrorResponse) {
    if (error.status === 0) return texts.errors.offline;
    if (error.status === 401) return texts.errors.signedOut;
    const detail = detailOf(error.error);
    return detail ?? `${texts.errors.unknown} (${error.status})`;
  }
  return error instanceof Error && error.message
    ? error.message
    : texts.errors.unknown;
}

/** The `detail` of RFC 9457 problem details, parsed or still text. */
export function detailOf(body: unknown): string | undefined {
  if (typeof body === 'string') {
    try {
      return detailOf(JSON.parse(body));
    } catch {
      return undefined;
    }
  }
  const detail = (body as { detail?: unknown } | null)?.detail;
  return typeof detail === 'string' && detail !== '' ? detail : undefined;
}
