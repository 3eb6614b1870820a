// The types of local-state.mjs, for infra/src/local.

/** A process, known by its id and the moment it started. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string | undefined;
}

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

export interface ClusterPaths {
  readonly cluster: string;
  readonly dataDir: string;
  readonly passwordFile: string;
}

export const repository: string;

export function stateFolder(env?: NodeJS.ProcessEnv): string;
export function localFileOf(stateDir: string): string;
export function testFolderOf(stateDir: string): string;
export function postgresFolderOf(stateDir: string): string;
export function postgresLocationFileOf(stateDir: string): string;
export function postgresUsersFolderOf(stateDir: string): string;
export function postgresHomeOf(stateDir: string): string;
export function removeCreated(stateDir: string, isWanted?: (name: string) => boolean): void;
export function testClustersOf(stateDir: string): string[];
export function clusterOf(home: string): ClusterPaths;
export function binariesNameOf(version: string): string;

export function startOf(pid: number): string | undefined;
export function thisProcess(): ProcessIdentity;
export function isRunning(identity: ProcessIdentity): boolean;
export function isTaken(pid: number): boolean;
export function newMark(): string;
export function markIsAlive(mark: string): boolean;
export function postgresUsersOf(stateDir: string): string[];

export function serverOf(dataDir: string): RunningServer | undefined;
export function stopServer(dataDir: string): Promise<void>;
export function removePostgres(stateDir: string): Promise<void>;
export function foldersOutside(): string[];
export function removeUnusedBinaries(): void;
