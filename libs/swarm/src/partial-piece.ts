/**
 * The blocks of one piece that is being downloaded: for each block whether it is free, asked or
 * done, of whom and since when, in arrays that are used again for the next piece.
 * A block has one owner; peers that were asked for it as well (end game, or an owner that timed
 * out) stand in `others` until the block is done.
 */

/** The length of a block on the wire, but for a piece's last one. */
export const BLOCK_LENGTH = 16_384;

export const FREE = 0;
export const ASKED = 1;
export const DONE = 2;

export class PartialPiece {
  piece = -1;
  /** Bytes. */
  size = 0;
  blocks = 0;
  /** Blocks nobody is asked for. */
  free = 0;
  done = 0;
  /** When not 0, only the peer with this id may be asked: a piece re-downloaded to find a liar. */
  sole = 0;
  /** Rounds of time-outs that found none of its blocks asked. */
  idleRounds = 0;
  /** Connections in the middle of writing a block into this piece's buffer. */
  writers = 0;
  /** Connections that receive a block of it beside the buffer, because another is writing that block. */
  copies = 0;
  /** Given up; it ends as soon as nobody writes into its buffer. */
  doomed = false;
  suspect = false;
  /** The search for a request that last found nothing here for its peer. */
  tried = 0;
  /** Its place in the list of pieces with free blocks; -1 outside it. */
  openIndex = -1;
  state = new Uint8Array(0);
  /** Peer ids: who is asked or has sent; 0 nobody. */
  owner = new Int32Array(0);
  askedAt = new Float64Array(0);
  /** Block → ids of further peers that were asked. */
  others: Map<number, number[]> | undefined;
  /** Block → bytes that came while another connection was in the middle of the same block. */
  spare: Map<number, { from: number; bytes: Uint8Array }> | undefined;
  #cursor = 0;

  begin(piece: number, size: number): void {
    this.piece = piece;
    this.size = size;
    this.blocks = Math.ceil(size / BLOCK_LENGTH);
    if (this.state.length < this.blocks) {
      this.state = new Uint8Array(this.blocks);
      this.owner = new Int32Array(this.blocks);
      this.askedAt = new Float64Array(this.blocks);
    }
    this.writers = 0;
    this.copies = 0;
    this.idleRounds = 0;
    this.doomed = false;
    this.suspect = false;
    this.sole = 0;
    this.tried = 0;
    this.#clear();
  }

  /** The piece is verified or given up. */
  end(): void {
    this.piece = -1;
    this.blocks = 0;
    this.free = 0;
    this.done = 0;
    this.others = undefined;
    this.spare = undefined;
  }

  #clear(): void {
    this.state.fill(FREE);
    this.owner.fill(0);
    this.free = this.blocks;
    this.done = 0;
    this.others = undefined;
    this.spare = undefined;
    this.#cursor = 0;
  }

  lengthOf(block: number): number {
    return block === this.blocks - 1
      ? this.size - block * BLOCK_LENGTH
      : BLOCK_LENGTH;
  }

  /** The block at `begin` if it begins and ends there; else -1. */
  blockAt(begin: number, length: number): number {
    const block = begin >>> 14;
    if (block << 14 !== begin || block >= this.blocks) return -1;
    return this.lengthOf(block) === length ? block : -1;
  }

  /** Takes the first free block for this peer; -1 when none is left that it was not asked for already. */
  take(peer: number, now: number): number {
    if (this.free === 0) return -1;
    let block = this.#cursor;
    while (block < this.blocks && this.state[block] !== FREE) block++;
    this.#cursor = block;
    if (this.others !== undefined)
      while (
        block < this.blocks &&
        (this.state[block] !== FREE || this.#isOther(block, peer))
      )
        block++;
    if (block >= this.blocks) return -1;
    this.state[block] = ASKED;
    this.owner[block] = peer;
    this.askedAt[block] = now;
    this.free--;
    return block;
  }

  /** Whether this peer still has this block to deliver. */
  isAskedOf(block: number, peer: number): boolean {
    if (this.state[block] === DONE) return false;
    if (this.owner[block] === peer && this.state[block] === ASKED) return true;
    return this.others !== undefined && this.#isOther(block, peer);
  }

  /** Asks one more peer for a block that is already asked of its owner. */
  addOther(block: number, peer: number): void {
    this.others ??= new Map();
    const others = this.others.get(block);
    if (others === undefined) this.others.set(block, [peer]);
    else others.push(peer);
  }

  /** How many peers have this block to deliver. */
  askedCount(block: number): number {
    const others = this.others?.get(block)?.length ?? 0;
    return others + (this.state[block] === ASKED ? 1 : 0);
  }

  /** Gives the block to whoever comes next, while its owner may still deliver it. */
  setFree(block: number): void {
    const owner = this.owner[block];
    this.#makeFree(block);
    this.addOther(block, owner);
  }

  /** This peer will not deliver the block any more. True when the block has become free by it. */
  withdraw(block: number, peer: number): boolean {
    if (this.state[block] === ASKED && this.owner[block] === peer) {
      const heir = this.others?.get(block)?.pop();
      if (heir === undefined) {
        this.#makeFree(block);
        return true;
      }
      this.owner[block] = heir;
      return false;
    }
    const others = this.others?.get(block);
    if (others === undefined) return false;
    const at = others.indexOf(peer);
    if (at >= 0) others.splice(at, 1);
    return false;
  }

  /** The block's bytes have come from this peer. */
  finish(block: number, peer: number): void {
    if (this.state[block] === FREE) this.free--;
    this.state[block] = DONE;
    this.owner[block] = peer;
    this.done++;
  }

  get complete(): boolean {
    return this.done === this.blocks;
  }

  #makeFree(block: number): void {
    this.state[block] = FREE;
    this.owner[block] = 0;
    this.free++;
    if (block < this.#cursor) this.#cursor = block;
  }

  #isOther(block: number, peer: number): boolean {
    return this.others?.get(block)?.includes(peer) ?? false;
  }
}
