/** A process with its output: waits for lines and for its end, and is killed when its test is over. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { eventually } from './eventually';

/** Lines kept in memory; the log file has them all. */
const keptLines = 5_000;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly logFile: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  /** Lines of both outputs as they came. */
  readonly lines: string[] = [];
  readonly errorLines: string[] = [];
  readonly exit: Promise<Exit>;
  ended: Exit | undefined;
  private readonly process: ChildProcess;
  private readonly file: WriteStream;

  constructor({ command, args, env, cwd, logFile }: ChildOptions) {
    mkdirSync(dirname(logFile), { recursive: true });
    this.file = createWriteStream(logFile, { flags: 'a' });
    this.file.write(`$ ${command} ${args.join(' ')}\n`);
    this.process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited(), ...env },
      ...(cwd ? { cwd } : {}),
    });
    this.read(this.process.stdout, this.lines);
    this.read(this.process.stderr, this.lines, this.errorLines);
    this.exit = new Promise((resolve) => {
      const end = (exit: Exit): void => {
        this.ended ??= exit;
        this.file.end(`= ${JSON.stringify(exit)}\n`);
        resolve(this.ended);
      };
      this.process.once('close', (code, signal) => end({ code, signal }));
      this.process.once('error', (error) => {
        this.lines.push(error.message);
        end({ code: null, signal: null });
      });
    });
  }

  get pid(): number {
    return this.process.pid as number;
  }

  get output(): string {
    return this.lines.join('\n');
  }

  /** The end of the output, for the message of an error. */
  get tail(): string {
    return this.lines.slice(-25).join('\n');
  }

  /** The first line that matches; fails when the process ends before. */
  async line(pattern: RegExp, ms: number): Promise<RegExpExecArray> {
    const found = await eventually(
      `a line like ${String(pattern)} of process ${this.pid}`,
      () => {
        for (const line of this.lines) {
          const match = pattern.exec(line);
          if (match) return match;
        }
        return this.ended && ('ended' as const);
      },
      ms,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.tail}`);
    });
    if (found === 'ended')
      throw new Error(
        `the process ended (${JSON.stringify(this.ended)}) before a line like ${String(pattern)}\n${this.tail}`,
      );
    return found;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    if (!this.ended) this.process.kill('SIGKILL');
    await this.exit;
  }

  private read(
    stream: NodeJS.ReadableStream | null,
    ...into: string[][]
  ): void {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      if (!this.file.writableEnded) this.file.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const list of into) {
        list.push(...lines);
        if (list.length > keptLines) list.splice(0, list.length - keptLines);
      }
    });
    stream?.on('end', () => {
      if (rest) for (const list of into) list.push(rest);
    });
  }
}

/** Our environment without what would change the program or the runtime under test. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('DND_') && name !== 'NODE_OPTIONS',
    ),
  );
