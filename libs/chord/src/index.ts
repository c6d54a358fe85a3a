export type { Machine, MachineInput, MachineOutput } from './machine';
export { between, betweenIncl } from './node-ref';
export type { NodeRef, RingId } from './node-ref';
