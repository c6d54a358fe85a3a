/** Tests with programs that others wrote run where those are installed; in CI they must be. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export function isInstalled(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** `describe`, or its skipping form where one of the commands is missing on a developer's machine. */
export const describeWith = (...commands: string[]): jest.Describe =>
  process.env['CI'] || commands.every(isInstalled) ? describe : describe.skip;
