/** The parts of the REST answers that the tests look at; their whole shape is checked against the OpenAPI document. */

export interface List<T> {
  readonly total: number;
  readonly items: readonly T[];
}

export interface Download {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly state: string;
  readonly reason?: string;
  readonly completedBytes: number;
  readonly downloadRate: number;
  readonly uploadedBytes: number;
  readonly peers: number;
  readonly eta?: number;
}

export interface Publication {
  readonly id: string;
  readonly infoHash: string;
  readonly name: string;
  readonly size: number;
  readonly files: number;
  readonly state: string;
  readonly magnet: string;
  readonly replicas: { readonly stored: number; readonly wanted: number };
}

export interface CatalogueEntry {
  readonly infoHash: string;
  readonly name: string;
  readonly size: number;
  readonly seeders: number;
  readonly leechers: number;
}

export type CataloguePage = List<CatalogueEntry>;

export interface CatalogueDetail extends CatalogueEntry {
  readonly tree: readonly {
    readonly index: number;
    readonly path: string;
    readonly size: number;
  }[];
  readonly magnet: string;
}

export interface RingNode {
  readonly id: string;
  readonly address: string;
  readonly state: string;
}

export interface Ring {
  readonly self: RingNode;
  readonly predecessor?: string;
  readonly successors: readonly string[];
  readonly nodes: readonly RingNode[];
  readonly ranges: readonly {
    readonly from: string;
    readonly to: string;
    readonly owner: string;
  }[];
  readonly replication: {
    readonly wanted: number;
    readonly underReplicated: number;
    readonly repairing: boolean;
    readonly foreign: number;
  };
}
