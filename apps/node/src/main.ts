/**
 * One node: reads its flags, takes its Storage folder, opens its listeners and starts its modules from
 * the ring up to the page; stops them in the opposite order. Bad flags, a taken port that was asked
 * for and an unusable Storage end it with one line and exit code 2.
 */
import { ConfigError, helpText, readConfig } from './config/config';
import type { Program } from './program';
import { tidyAtRest } from './tidy';
import { VERSION } from './version';

const started = Date.now();

try {
  const command = readConfig(process.argv.slice(2), process.env);
  if (command.run === 'help') console.log(helpText());
  if (command.run === 'version') console.log(VERSION);
  if (command.run === 'node') {
    // Loaded only now: help and refusals need not wait for it.
    await import('reflect-metadata');
    const { Program } = await import('./program');
    const program = await Program.start(command.config);
    stopOnSignals(program);
    tidyAtRest();
    console.log(
      `${program.readyLine} (ready after ${((Date.now() - started) / 1000).toFixed(1)} s)`,
    );
  }
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(2);
}

function stopOnSignals(program: Program): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    // What does not end by itself must not keep the terminal: everything durable is on the disk already.
    setTimeout(() => process.exit(1), 15_000).unref();
    program.stop().then(
      () => process.exit(0),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
