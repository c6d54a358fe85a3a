/** A part of the program that is started once its seams answer, and stopped before they close. */
export interface Part {
  start(): Promise<void>;
  stop(): Promise<void>;
}
