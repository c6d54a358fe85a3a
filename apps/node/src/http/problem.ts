/** Every error of the REST API as RFC 9457 problem details. */
import {
  Catch,
  HttpException,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Response } from 'express';
import { STATUS_CODES } from 'node:http';
import { SeamError, type SeamErrorCode } from '../rpc/seam-error';

export class ProblemDto {
  @ApiProperty({ example: 'about:blank' }) type!: string;
  @ApiProperty({ example: 'Not Found' }) title!: string;
  @ApiProperty({ example: 404 }) status!: number;
  @ApiProperty({
    example: 'nobody has published 0123…',
    description: 'What is wrong and what to do.',
  })
  detail!: string;
  @ApiPropertyOptional({
    example: 'not-found',
    description: 'The cause, for programs.',
  })
  code?: string;
}

const statusOf: Record<SeamErrorCode, number> = {
  'not-found': 404,
  'bad-input': 400,
  'too-large': 413,
  conflict: 409,
  forbidden: 403,
  'disk-full': 507,
  unavailable: 503,
  internal: 500,
};

export function problemOf(error: unknown): ProblemDto {
  if (error instanceof SeamError)
    return problem(statusOf[error.code], error.message, error.code);
  if (error instanceof HttpException) {
    const body = error.getResponse();
    const message =
      typeof body === 'string'
        ? body
        : (body as { message?: string | string[] }).message;
    return problem(
      error.getStatus(),
      Array.isArray(message) ? message.join('; ') : (message ?? error.message),
    );
  }
  // Express and its body parser mark their own errors with a status.
  const { status, message } = (error ?? {}) as {
    status?: unknown;
    message?: unknown;
  };
  if (typeof status === 'number' && status >= 400 && status < 500)
    return problem(status, String(message));
  return problem(500, 'something failed inside the node; its log says more');
}

function problem(status: number, detail: string, code?: string): ProblemDto {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    ...(code ? { code } : {}),
  };
}

export function sendProblem(response: Response, error: unknown): void {
  const body = problemOf(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response
    .status(body.status)
    .type('application/problem+json')
    .send(JSON.stringify(body));
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    if (problemOf(error).status === 500)
      this.log.error(
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
    sendProblem(host.switchToHttp().getResponse<Response>(), error);
  }
}
