import { ValidationPipe, type Type } from '@nestjs/common';

/** The options of every validation: unknown fields are an error, so that a misspelt option is not silently ignored. */
export const validation = new ValidationPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  transform: true,
});

/** For routes that take several kinds of body and so cannot name one in their signature. */
export async function validated<T>(type: Type<T>, body: unknown): Promise<T> {
  return (await validation.transform(body ?? {}, {
    type: 'body',
    metatype: type,
  })) as T;
}
