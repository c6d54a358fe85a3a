import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpException,
  Inject,
  Post,
  Put,
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
import { IsString, MaxLength, MinLength } from 'class-validator';
import type { Request, Response } from 'express';
import { SeamError } from '../rpc/seam-error';
import { ApiProblems } from './documented';
import { cookieOf, isSignedIn, SESSIONS, sessionCookie } from './gate';
import { sendProblem } from './problem';
import type { Sessions } from './session';

export class SignInDto {
  @ApiProperty() @IsString() @MaxLength(1024) password!: string;
}

export class ChangePasswordDto {
  @ApiProperty() @IsString() @MaxLength(1024) current!: string;
  @ApiProperty({ minLength: 8, maxLength: 1024 })
  @IsString()
  @MinLength(8)
  @MaxLength(1024)
  next!: string;
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
  signIn(
    @Body() body: SignInDto,
    @Req() request: Request,
    @Res() response: Response,
  ): void {
    const from = {
      address: request.socket.remoteAddress ?? '',
      agent: request.get('user-agent') ?? '',
    };
    const id = this.sessions?.signIn(body.password, from, Date.now());
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

  @Put('password')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Change the password',
    description: 'Signs out every other browser.',
  })
  @ApiNoContentResponse()
  @ApiProblems(400, 403, 409)
  changePassword(
    @Body() { current, next }: ChangePasswordDto,
    @Req() request: Request,
  ): void {
    const { sessions } = this;
    if (!sessions)
      throw new SeamError('conflict', 'this node does not ask for a password');
    if (!sessions.canChange)
      throw new SeamError(
        'conflict',
        'the password was given by --password when the node was started: change it there',
      );
    if (!sessions.check(current, Date.now()))
      throw new SeamError('forbidden', 'this is not the present password');
    sessions.change(next, cookieOf(request));
  }
}
