/** This node's view of the ring, for `GET ring` and the events. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export const nodeStates = ['alive', 'suspected', 'dead'] as const;

export class RingNodeDto {
  @ApiProperty({ description: 'Ring id: 40 hex digits.' }) id!: string;
  @ApiProperty({ description: 'host:port of its ring listener.' })
  address!: string;
  @ApiProperty({ enum: nodeStates, enumName: 'NodeState' })
  state!: (typeof nodeStates)[number];
  @ApiProperty({ description: 'How often it has started.' })
  incarnation!: number;
}

export class RecordCountsDto {
  @ApiProperty() torrent!: number;
  @ApiProperty() catalogue!: number;
  @ApiProperty() name!: number;
  @ApiProperty() client!: number;
  @ApiProperty({ description: 'Swarms kept here.' }) swarm!: number;
}

export class KeyRangeDto {
  @ApiProperty({ description: 'Exclusive: ring id.' }) from!: string;
  @ApiProperty({ description: 'Inclusive: ring id.' }) to!: string;
  @ApiProperty({ description: 'The node that owns the range.' }) owner!: string;
  @ApiProperty({ description: 'Records of the range on this node.' })
  records!: number;
}

export class RepairDto {
  @ApiProperty({
    type: [String],
    description:
      'Ring ids of the nodes that copies are compared with or brought to at this moment.',
  })
  with!: readonly string[];
  @ApiProperty({ description: 'Records sent to other nodes since the start.' })
  sent!: number;
  @ApiProperty({
    description: 'Records fetched from other nodes since the start.',
  })
  fetched!: number;
  @ApiProperty({
    description:
      'Copies given up since the start, because they belong elsewhere and are safe there.',
  })
  dropped!: number;
}

export class ReplicationDto {
  @ApiProperty({
    description:
      'Copies every record should have now (3, or fewer where fewer nodes live).',
  })
  wanted!: number;
  @ApiProperty({
    description:
      'Records that this node is the first to own and that have fewer than three copies.',
  })
  underReplicated!: number;
  @ApiProperty({
    description:
      'Copies differ, or were not all compared since the ring changed.',
  })
  repairing!: boolean;
  @ApiProperty({
    description:
      'Records kept here that belong to other nodes and wait to be handed over.',
  })
  foreign!: number;
  @ApiPropertyOptional({
    type: RepairDto,
    description: 'What is done about it; absent until the records are read.',
  })
  repair?: RepairDto;
}

export class RingDto {
  @ApiProperty({ description: 'Name of the ring.' }) name!: string;
  @ApiProperty({ type: RingNodeDto }) self!: RingNodeDto;
  @ApiPropertyOptional({ description: 'Ring id.' }) predecessor?: string;
  @ApiProperty({ type: [String], description: 'Ring ids, nearest first.' })
  successors!: string[];
  @ApiProperty({
    type: [String],
    description: 'Ring ids of the nodes that the finger table points at.',
  })
  fingers!: string[];
  @ApiProperty({
    type: [RingNodeDto],
    description: 'Every node this one has heard of, itself included.',
  })
  nodes!: RingNodeDto[];
  @ApiProperty({ type: [KeyRangeDto] }) ranges!: KeyRangeDto[];
  @ApiProperty({ type: RecordCountsDto }) records!: RecordCountsDto;
  @ApiProperty({ type: ReplicationDto }) replication!: ReplicationDto;
}
