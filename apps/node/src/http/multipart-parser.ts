import busboy from 'busboy';
import { SeamError } from '../rpc/seam-error';

/** A parser of multipart bodies. Throws `bad-input` for a Content-Type that names no boundary. */
export function multipartParser(config: busboy.BusboyConfig): busboy.Busboy {
  try {
    return busboy(config);
  } catch (error) {
    throw new SeamError(
      'bad-input',
      `the upload is damaged: ${(error as Error).message}`,
    );
  }
}
