/** Where everything of the ring lies in its picture: ids as angles, clockwise from the top. Pure geometry. */
import type { RingDto, RingNodeDto } from '@dnd/api-client';

export const radius = 150;
/** Of a label, in the picture's units: the height of its line and what one letter takes. */
const line = 16;
const letter = 7.5;
/** How far outside the circle a label stands. */
const away = 22;
/** Lines that a label may move from its place, the nearest first. */
const moves = [0, 1, -1, 2, -2, 3, -3, 4, -4];
/** Nodes that get a label; with more, labels would cover each other. */
const maxLabels = 24;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Label extends Point {
  readonly anchor: 'start' | 'middle' | 'end';
  /** From the node to a label that had to move out. */
  readonly leader: string | undefined;
}

export interface PlacedNode extends Point {
  readonly node: RingNodeDto;
  readonly self: boolean;
  /** Undefined where there are too many nodes for labels. */
  readonly label: Label | undefined;
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
  /** From this node to those that copies are compared with or brought to. */
  readonly repairs: readonly string[];
}

/** An id as people can compare it at a glance. */
export const shortOf = (id: string): string => id.slice(0, 6);

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

/** `nameOf` writes the label of a node. */
export function pictureOf(
  ring: RingDto,
  nameOf: (id: string) => string,
): Picture {
  const at = new Map(ring.nodes.map(({ id }) => [id, pointAt(turnOf(id))]));
  const self = pointAt(turnOf(ring.self.id));
  const targets = (ids: readonly string[]): Point[] =>
    [...new Set(ids)]
      .filter((id) => id !== ring.self.id)
      .flatMap((id) => at.get(id) ?? []);
  const fingers = ring.fingers.filter((id) => !ring.successors.includes(id));
  return {
    nodes: placed(ring, nameOf),
    ranges: rangesOf(ring),
    successors: targets(ring.successors).map((to) => chord(self, to, 0.45)),
    fingers: targets(fingers).map((to) => chord(self, to, 0.75)),
    repairs: targets(ring.replication.repair?.with ?? []).map((to) =>
      chord(self, to, 0.6),
    ),
  };
}

/** This node's label gets the best place; others move outwards until they touch none before them. */
function placed(ring: RingDto, nameOf: (id: string) => string): PlacedNode[] {
  const taken: Box[] = [];
  const labelled = ring.nodes.length <= maxLabels;
  const first = ring.nodes.filter(({ id }) => id === ring.self.id);
  const others = ring.nodes
    .filter(({ id }) => id !== ring.self.id)
    .sort((a, b) => turnOf(a.id) - turnOf(b.id));
  return [...first, ...others].map((node) => ({
    node,
    ...pointAt(turnOf(node.id)),
    self: node.id === ring.self.id,
    label: labelled
      ? freeLabel(turnOf(node.id), nameOf(node.id).length * letter, taken)
      : undefined,
  }));
}

interface Box extends Point {
  readonly width: number;
}

function freeLabel(turn: number, width: number, taken: Box[]): Label {
  const side = Math.sin(2 * Math.PI * turn);
  const anchor = side > 0.25 ? 'start' : side < -0.25 ? 'end' : 'middle';
  const part = { start: 0, middle: 0.5, end: 1 }[anchor];
  const places = moves
    .filter((move) => anchor !== 'middle' || move >= 0)
    .map((move) => {
      // Beside the circle up or down, above and below it outwards.
      if (anchor === 'middle')
        return pointAt(turn, radius + away + move * line);
      const out = pointAt(turn, radius + away + Math.abs(move) * 6);
      return { x: out.x, y: round(out.y + move * line) };
    });
  const boxOf = ({ x, y }: Point): Box => ({ x: x - part * width, y, width });
  const free = places.findIndex(
    (place) => !taken.some((box) => touch(box, boxOf(place))),
  );
  const place = places.at(free) ?? pointAt(turn, radius + away);
  taken.push(boxOf(place));
  const from = pointAt(turn, radius + 12);
  const gap = { start: -4, middle: 0, end: 4 }[anchor];
  const leader = `M${from.x} ${from.y}L${place.x + gap} ${place.y}`;
  return { ...place, anchor, leader: free === 0 ? undefined : leader };
}

const touch = (a: Box, b: Box): boolean =>
  Math.abs(a.y - b.y) < line && a.x < b.x + b.width && b.x < a.x + a.width;

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

/** A curve from one point of the ring to another, drawn towards the middle: by `pull`, 0 to 1, and the more the further they are apart. */
function chord(from: Point, to: Point, pull: number): string {
  const apart = Math.hypot(to.x - from.x, to.y - from.y) / (2 * radius);
  const rest = 1 - pull * Math.min(1, apart + 0.25);
  const x = round(((from.x + to.x) / 2) * rest);
  const y = round(((from.y + to.y) / 2) * rest);
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
