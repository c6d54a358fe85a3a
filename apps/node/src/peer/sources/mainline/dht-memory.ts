/** What of the mainline DHT is kept over a restart: the node's own id and the nodes it knew. */
import type { DhtContact } from 'bittorrent-dht';

export interface DhtMemory {
  /** 40 hex digits. */
  readonly id: string;
  readonly nodes: readonly DhtContact[];
}

/** Undefined when nothing was kept, or nothing that can be read: then the node begins anew. */
export function readDhtMemory(kept: string | undefined): DhtMemory | undefined {
  if (kept === undefined) return undefined;
  try {
    const { id, nodes } = JSON.parse(kept) as Partial<DhtMemory>;
    if (typeof id !== 'string' || !/^[0-9a-f]{40}$/.test(id)) return undefined;
    if (!Array.isArray(nodes)) return undefined;
    return { id, nodes: nodes.filter(isContact) };
  } catch {
    return undefined;
  }
}

function isContact(value: unknown): value is DhtContact {
  const { host, port } = (value ?? {}) as Partial<DhtContact>;
  return (
    typeof host === 'string' &&
    typeof port === 'number' &&
    Number.isInteger(port) &&
    port > 0 &&
    port < 65_536
  );
}
