import { Injectable, type PipeTransform } from '@nestjs/common';
import { infoHashPattern } from '../peer/dto/download.dto';
import { SeamError } from '../rpc/seam-error';

/** A path parameter that must be an info-hash: 40 hex digits, any case. */
@Injectable()
export class InfoHashPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    const lower = String(value).toLowerCase();
    if (!infoHashPattern.test(lower))
      throw new SeamError('bad-input', 'an info-hash is 40 hex digits');
    return lower;
  }
}
