/** Errors as a person is told of them. */
import { StorageError } from '@dnd/storage';
import { bytes } from '../../http/words';

export function words(error: unknown): string {
  if (!(error instanceof StorageError))
    return error instanceof Error ? error.message : String(error);
  if (error.code !== 'disk-full') return error.message;
  const { missingBytes: missing } = error;
  return missing
    ? `disk full: ${bytes(missing)} missing; it goes on by itself when there is room`
    : 'disk full: make room and it goes on by itself';
}
