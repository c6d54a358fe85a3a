/** The clients of the ring: their numeric ids, who may use them, and where they listen now. */
import { Injectable } from '@nestjs/common';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Dht } from '../dht/dht';
import { SeamError } from '../rpc/seam-error';
import { clientPlace } from './places';
import type { CheckIn } from './tracker';
import { decodeClient, encodeClient, type Client } from './values';

@Injectable()
export class Clients {
  constructor(private readonly dht: Dht) {}

  /** See Tracker. */
  async checkIn(client: CheckIn): Promise<{ clientId: number }> {
    const { clientId, token, name, host, port } = client;
    const proof = proofOf(token);
    const id = clientId ?? (await this.newId(token, proof));
    const known = await this.find(id);
    if (known && !same(known.proof, proof))
      throw new SeamError(
        'forbidden',
        `the client id ${id} belongs to another node`,
      );
    const value = encodeClient({ id, proof, name, host, port });
    await this.dht.put([
      { kind: 'client', place: clientPlace(id), item: String(id), value },
    ]);
    return { clientId: id };
  }

  /** Rejects with `forbidden` unless the token is the client's. */
  async authorise(clientId: number, token: string): Promise<void> {
    const client = await this.find(clientId);
    if (!client || !same(client.proof, proofOf(token)))
      throw new SeamError(
        'forbidden',
        `this node is not the client ${clientId}`,
      );
  }

  private async find(id: number): Promise<Client | undefined> {
    const value = await this.dht.get('client', clientPlace(id), String(id));
    return value ? decodeClient(value) : undefined;
  }

  /** The same for the same token, so that a client whose record was lost gets its id back; free, or its own already. */
  private async newId(token: string, proof: string): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      const id = idOf(token, attempt);
      const known = await this.find(id);
      if (!known || same(known.proof, proof)) return id;
    }
  }
}

/** 52 bits of a hash: that two of a million clients on rings apart have the same has a chance of 1 : 9,000. */
const idOf = (token: string, attempt: number): number => {
  const digest = createHash('sha256')
    .update(`client id ${attempt} ${token}`)
    .digest();
  return (digest.readUInt32BE(0) & 0xfffff) * 2 ** 32 + digest.readUInt32BE(4);
};

const proofOf = (token: string): string =>
  createHash('sha256').update(token).digest('hex');

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
