export { Disk } from './disk';
export type { DiskOptions } from './disk';
export { FileHandles } from './file-handles';
export type { FileStat, FileSystem } from './file-system';
export { realFileSystem } from './file-system';
export { hashFiles } from './hash-files';
export type { HashedFiles, HashFilesOptions } from './hash-files';
export { Hasher, Want } from './hasher';
export type {
  HasherOptions,
  HashOptions,
  HashResult,
  HashUnit,
} from './hasher';
export { listFolder } from './list-folder';
export type { ListedFile, ListFolderOptions } from './list-folder';
export { PieceMemory } from './piece-memory';
export type { Loan } from './piece-reader';
export type { FileNotice } from './resume-recall';
export type { ResumeRecord } from './resume-record';
export { ResumeStore } from './resume-store';
export type { ResumeStoreOptions } from './resume-store';
export { StorageError } from './storage-error';
export type { StorageErrorCode, StorageErrorDetails } from './storage-error';
export type { CheckOptions, StorageOptions } from './storage-options';
export { StorageLock } from './storage-lock';
export type { FileStamp } from './torrent-files';
export { TorrentStorage } from './torrent-storage';
export { WriteAheadLog } from './write-ahead-log';
