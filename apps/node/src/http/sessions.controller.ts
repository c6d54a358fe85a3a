import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Req,
} from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiTags,
} from '@nestjs/swagger';
import type { Request } from 'express';
import { SeamError } from '../rpc/seam-error';
import { ApiProblems } from './documented';
import { cookieOf, SESSIONS } from './gate';
import type { Sessions } from './session';

export class SessionInfoDto {
  @ApiProperty({ description: 'Names the session, does not open it.' })
  id!: string;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ format: 'date-time' }) seenAt!: string;
  @ApiProperty({ description: 'Where it signed in from.' }) address!: string;
  @ApiProperty({ description: 'What the browser calls itself.' })
  agent!: string;
  @ApiProperty({ description: 'The one that asks.' }) current!: boolean;
}

export class SessionsDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [SessionInfoDto] }) items!: SessionInfoDto[];
  @ApiProperty({
    description:
      'Whether PUT /api/session/password is possible: not without a password, nor where it was given when the node was started.',
  })
  canChangePassword!: boolean;
}

@ApiTags('session')
@Controller('sessions')
export class SessionsController {
  constructor(@Inject(SESSIONS) private readonly sessions: Sessions | null) {}

  @Get()
  @ApiOperation({ summary: 'Browsers that are signed in' })
  @ApiOkResponse({ type: SessionsDto })
  listSessions(@Req() request: Request): SessionsDto {
    const list = this.sessions?.list(cookieOf(request), Date.now()) ?? [];
    const items = list.map((session) => ({
      ...session,
      createdAt: new Date(session.createdAt).toISOString(),
      seenAt: new Date(session.seenAt).toISOString(),
    }));
    return {
      total: items.length,
      items,
      canChangePassword: this.sessions?.canChange ?? false,
    };
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out every other browser' })
  @ApiNoContentResponse()
  signOutOthers(@Req() request: Request): void {
    this.sessions?.endOthers(cookieOf(request));
  }

  @Delete(':session')
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out one browser' })
  @ApiNoContentResponse()
  @ApiProblems(404)
  signOutSession(@Param('session') id: string): void {
    if (!this.sessions?.end(id))
      throw new SeamError('not-found', 'there is no such session');
  }
}
