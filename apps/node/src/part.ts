/** A part of the program that is started once its seams answer, and stopped before they close. */
export interface Part {
  /** Resolves when it answers; parts that come later are started then. */
  start(): Promise<void>;
  /** Resolves when it is of full use: the program says that it is ready when all of its parts are. */
  whenReady?(): Promise<void>;
  stop(): Promise<void>;
}
