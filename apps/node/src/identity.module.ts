import { Module } from '@nestjs/common';
import { Config } from './config/config';
import { IdentityFile } from './identity';

/** One identity a process, whichever roles it runs. */
@Module({
  providers: [
    {
      provide: IdentityFile,
      inject: [Config],
      useFactory: (config: Config) => IdentityFile.open(config.storage),
    },
  ],
  exports: [IdentityFile],
})
export class IdentityModule {}
