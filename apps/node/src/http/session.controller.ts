import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpException,
  Inject,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiTags,
} from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import { ApiProblems } from './documented';
import { cookieOf, isSignedIn, SESSIONS, sessionCookie } from './gate';
import { sendProblem } from './problem';
import type { Sessions } from './session';

export class SignInDto {
  @ApiProperty() @IsString() @MaxLength(1024) password!: string;
}

export class SessionDto {
  @ApiProperty({ description: 'Whether this node asks for its password.' })
  required!: boolean;
  @ApiProperty() signedIn!: boolean;
}

@ApiTags('session')
@Controller('session')
export class SessionController {
  constructor(@Inject(SESSIONS) private readonly sessions: Sessions | null) {}

  @Get()
  @ApiOperation({ summary: 'Is a sign-in needed, and done?' })
  @ApiOkResponse({ type: SessionDto })
  getSession(@Req() request: Request): SessionDto {
    return {
      required: this.sessions !== null,
      signedIn: isSignedIn(this.sessions, request),
    };
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign in' })
  @ApiOkResponse({ type: SessionDto })
  @ApiProblems(400, 401)
  signIn(@Body() body: SignInDto, @Res() response: Response): void {
    const id = this.sessions?.signIn(body.password, Date.now());
    if (this.sessions && !id)
      return sendProblem(
        response,
        new HttpException('this is not the password', 401),
      );
    if (id)
      response.cookie(sessionCookie, id, {
        httpOnly: true,
        sameSite: 'strict',
        path: '/',
        maxAge: 30 * 86_400_000,
      });
    response.json({
      required: this.sessions !== null,
      signedIn: true,
    } satisfies SessionDto);
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out' })
  @ApiNoContentResponse()
  signOut(@Req() request: Request, @Res() response: Response): void {
    this.sessions?.signOut(cookieOf(request));
    response.clearCookie(sessionCookie, { path: '/' }).status(204).end();
  }
}
