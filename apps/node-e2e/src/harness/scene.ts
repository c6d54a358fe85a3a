/**
 * What one test file needs: a folder of its own, a ring of its own (name and multicast port), nodes and
 * other processes. `close` ends and deletes all of it. The processes' logs stay in
 * test-output/node-e2e until the next run.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, type ChildOptions } from './child';
import type { Machine } from './namespaces';
import { Node, runProgram, workspace, type Flags } from './node';
import { freePort, freePorts } from './ports';

export class Scene {
  private readonly nodes: Node[] = [];
  private readonly children: Child[] = [];
  private readonly endings: (() => Promise<void> | void)[] = [];
  private count = 0;

  private constructor(
    readonly folder: string,
    readonly logs: string,
    /** Name of the ring that the nodes of this scene make. */
    readonly ring: string,
    readonly multicast: string,
  ) {}

  static async open(name: string): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), `dnd-e2e-${name}-`));
    const logs = join(workspace, 'test-output/node-e2e', name);
    rmSync(logs, { recursive: true, force: true });
    const port = await freePort();
    return new Scene(
      folder,
      logs,
      `e2e-${name}-${port}`,
      `239.255.4.3:${port}`,
    );
  }

  /** A path in the scene's folder that nothing has yet. */
  path(name: string): string {
    return join(this.folder, `${++this.count}-${name}`);
  }

  async directory(name: string): Promise<string> {
    const path = this.path(name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** A node that is not started yet. */
  async node(
    name: string,
    flags: Flags = {},
    storage?: string,
    machine?: Machine,
  ): Promise<Node> {
    const [http, tracker, peer, ring, rpc] = await freePorts(5);
    const node = new Node(
      name,
      storage ?? this.path(`${name}-storage`),
      { http, tracker, peer, ring, rpc },
      { ring: this.ring, multicast: this.multicast, ...flags },
      this.logFile(name),
      machine,
    );
    this.nodes.push(node);
    return node;
  }

  async start(
    name: string,
    flags: Flags = {},
    storage?: string,
  ): Promise<Node> {
    return (await this.node(name, flags, storage)).start();
  }

  /** Nodes that are one ring. */
  async startRing(
    names: readonly string[],
    flags: Flags = {},
  ): Promise<Node[]> {
    const nodes = await Promise.all(
      names.map((name) => this.start(name, flags)),
    );
    await Promise.all(nodes.map((node) => node.seesRingOf(nodes.length)));
    return nodes;
  }

  /** Our program with just these arguments. */
  program(
    name: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Child {
    const child = runProgram(args, this.logFile(name), env);
    this.children.push(child);
    return child;
  }

  child(name: string, options: Omit<ChildOptions, 'logFile'>): Child {
    const child = new Child({ ...options, logFile: this.logFile(name) });
    this.children.push(child);
    return child;
  }

  /** Called at the end, before the folder is deleted; the last one first. */
  atEnd(ending: () => Promise<void> | void): void {
    this.endings.push(ending);
  }

  /** Ends the nodes and processes so far, for a test that starts with new ones. */
  async clear(): Promise<void> {
    await Promise.all(this.nodes.splice(0).map((node) => node.kill()));
    await this.clearChildren();
  }

  /** Ends the other processes; the nodes go on. */
  async clearChildren(): Promise<void> {
    await Promise.all(this.children.splice(0).map((child) => child.kill()));
  }

  async close(): Promise<void> {
    try {
      await this.clear();
      for (const ending of this.endings.reverse()) await ending();
    } finally {
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  private logFile(name: string): string {
    return join(this.logs, `${name}.log`);
  }
}
