/** Where everything of the ring lies in its picture: ids as angles, clockwise from the top. Pure geometry. */
import type { RingDto, RingNodeDto } from '@dnd/api-client';

export const radius = 150;
/** Of a label, in the picture's units. */
const line = 15;
const labelWidth = 64;
/** Nodes that get a label; with more, labels would cover each other. */
const maxLabels = 24;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedNode extends Point {
  readonly node: RingNodeDto;
  readonly self: boolean;
  label: Point & { readonly anchor: 'start' | 'middle' | 'end' };
  readonly labelled: boolean;
}

export interface Range {
  readonly owner: string;
  readonly path: string;
  readonly share: number;
  readonly records: number;
  readonly tint: number;
}

export interface Picture {
  readonly nodes: readonly PlacedNode[];
  readonly ranges: readonly Range[];
  /** From this node to its successors, outside fingers. */
  readonly successors: readonly string[];
  readonly fingers: readonly string[];
}

/** 0 to 1, from the first 48 bits of a ring id of 40 hex digits. */
export const turnOf = (id: string): number =>
  parseInt(id.slice(0, 12).padEnd(12, '0'), 16) / 2 ** 48;

export function pointAt(turn: number, r = radius): Point {
  const angle = 2 * Math.PI * turn;
  return { x: round(r * Math.sin(angle)), y: round(-r * Math.cos(angle)) };
}

/** The part of the circle from `from` clockwise to `to`; the whole of it when they are equal. */
export function shareOf(from: string, to: string): number {
  if (from === to) return 1;
  const share = turnOf(to) - turnOf(from);
  return share <= 0 ? share + 1 : share;
}

export function pictureOf(ring: RingDto): Picture {
  const at = new Map(ring.nodes.map(({ id }) => [id, pointAt(turnOf(id))]));
  const self = pointAt(turnOf(ring.self.id));
  const targets = (ids: readonly string[]): Point[] =>
    [...new Set(ids)]
      .filter((id) => id !== ring.self.id)
      .flatMap((id) => at.get(id) ?? []);
  const fingers = ring.fingers.filter((id) => !ring.successors.includes(id));
  return {
    nodes: placed(ring),
    ranges: rangesOf(ring),
    successors: targets(ring.successors).map((to) => chord(self, to, 0.72)),
    fingers: targets(fingers).map((to) => chord(self, to, 0.3)),
  };
}

/** Labels that would touch move apart: those at the sides up or down, those above and below outwards. */
function placed(ring: RingDto): PlacedNode[] {
  const nodes = ring.nodes.map((node) => place(node, ring));
  for (const side of ['start', 'end', 'middle'] as const) {
    const column = nodes
      .filter(({ label }) => label.anchor === side)
      .sort((a, b) => a.label.y - b.label.y);
    column.forEach((node, i) => {
      const above = column[i - 1]?.label;
      if (above === undefined) return;
      const beside = Math.abs(above.x - node.label.x) > labelWidth;
      const y = beside ? node.label.y : Math.max(node.label.y, above.y + line);
      column[i].label = { ...node.label, y };
    });
  }
  return nodes;
}

function place(node: RingNodeDto, ring: RingDto): PlacedNode {
  const turn = turnOf(node.id);
  const label = pointAt(turn, radius + 22);
  const side = Math.sin(2 * Math.PI * turn);
  const anchor = side > 0.25 ? 'start' : side < -0.25 ? 'end' : 'middle';
  return {
    node,
    ...pointAt(turn),
    self: node.id === ring.self.id,
    label: { ...label, anchor },
    labelled: ring.nodes.length <= maxLabels,
  };
}

function rangesOf(ring: RingDto): Range[] {
  const most = Math.max(1, ...ring.ranges.map(({ records }) => records));
  return ring.ranges.map(({ from, to, owner, records }) => ({
    owner,
    records,
    path: arc(turnOf(from), shareOf(from, to)),
    share: shareOf(from, to),
    // How much lies there, from faint to full.
    tint: 0.25 + 0.75 * (records / most),
  }));
}

/** Along the ring, clockwise. */
export function arc(from: number, share: number, r = radius): string {
  const part = Math.min(share, 0.9999);
  const start = pointAt(from, r);
  const end = pointAt(from + part, r);
  const large = part > 0.5 ? 1 : 0;
  return `M${start.x} ${start.y}A${r} ${r} 0 ${large} 1 ${end.x} ${end.y}`;
}

/** A curve from one point of the ring to another; `bow` 0 goes through the middle, 1 is straight. */
function chord(from: Point, to: Point, bow: number): string {
  const x = round(((from.x + to.x) / 2) * bow);
  const y = round(((from.y + to.y) / 2) * bow);
  return `M${from.x} ${from.y}Q${x} ${y} ${to.x} ${to.y}`;
}

/** The nodes that keep a key: its first live successors, as many as there are copies. */
export function ownersOf(ring: RingDto, key: string): RingNodeDto[] {
  const alive = ring.nodes
    .filter(({ state }) => state !== 'dead')
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const first = Math.max(
    0,
    alive.findIndex(({ id }) => id >= key),
  );
  const copies = Math.min(ring.replication.wanted, alive.length);
  return Array.from(
    { length: copies },
    (_, i) => alive[(first + i) % alive.length],
  );
}

const round = (value: number): number => Math.round(value * 100) / 100;
