/** The errors a route may answer with, told to Swagger in one line. */
import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ProblemDto } from './problem';

const meaning: Record<number, string> = {
  400: 'The request is wrong; `detail` says what.',
  401: 'A wrong password.',
  403: 'Not yours to do.',
  404: 'Not known here.',
  409: 'It is in the way of what is there.',
  413: 'Too large.',
  415: 'The body is of another type.',
  416: 'The range lies outside the file.',
  503: 'A part of the network did not answer; try again.',
  507: 'The disk is full; `detail` says how much is missing.',
};

/** Of this type whatever a route produces when all is well. */
const problem = {
  'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } },
};

export function ApiProblems(
  ...statuses: number[]
): MethodDecorator & ClassDecorator {
  return applyDecorators(
    ApiExtraModels(ProblemDto),
    ...statuses.map((status) =>
      ApiResponse({ status, description: meaning[status], content: problem }),
    ),
  );
}
