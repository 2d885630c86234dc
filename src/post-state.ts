import type { OidcHost } from './host/oidc-host.ts';
import type { BackgroundProcess } from './runner/background.ts';

/** How the post step connects to the host. */
export type SavedHost =
  /** A private copy of the host's credentials: later steps may remove their own. */
  | { readonly hostKubeconfigFile: string }
  /** A host that takes a token, which the post step requests itself. */
  | { readonly hostOidc: OidcHost };

/** A background process that main started, for the post step to end. */
export interface SavedTunnel extends BackgroundProcess {
  /** It ends by itself when this file is gone. */
  readonly settingsFile: string;
  readonly log: string;
}

/** What main leaves for the post step. The post step reads nothing else: inputs are wrong there in nested composites. */
export interface SavedState {
  readonly name: string;
  readonly namespace: string;
  /** Whether the post step deletes the cluster. */
  readonly ephemeral: boolean;
  /** Whether the cluster of a failed job stays. */
  readonly keepOnFailure: boolean;
  /** RFC 3339; left out when the cluster never expires. */
  readonly expiresAt?: string;
  /** The labels of the repository that the cluster belongs to. */
  readonly repository: Readonly<Record<string, string>>;
  /** What is on the Cluster, if it outlives its job, until it is handed over; empty when it is ephemeral. */
  readonly unsettled: Readonly<Record<string, string>>;
  /** The token that is on the Cluster when this use of the action claimed it, and no other did since. Not a secret. */
  readonly claim: string;
}

/** Remembers across main and post. */
export interface State {
  /** Writes the state, flushed, before the first write to the host. */
  remember(state: SavedState): void;
  /** What main remembered; undefined when it failed before it made anything. */
  recall(): SavedState | undefined;
  /** Saves how main connected to the host, for the post step to connect again and to remove the saved credentials. */
  rememberHost(host: SavedHost): void;
  /** How main connected to the host; undefined when it did not save that. */
  recallHost(): SavedHost | undefined;
  /** Saves which tunnel main started. */
  rememberTunnel(tunnel: SavedTunnel): void;
  /** The tunnel that main started; undefined when it started none. */
  recallTunnel(): SavedTunnel | undefined;
  /** Notes that main failed and kept its cluster, which the step's outcome does not show when the job continues. */
  keep(): void;
  /** Whether main noted that. */
  readonly isKept: boolean;
  /** Notes that main succeeded: the job has its cluster. */
  handOver(): void;
  /** Whether main noted that. */
  readonly isHandedOver: boolean;
  /** Notes where main keeps private files, which later processes cannot always find by themselves. */
  rememberDirectory(path: string): void;
  /** Where main kept them; undefined when it did not come that far. */
  readonly directory: string | undefined;
}

const KEY = 'cluster';
const HOST = 'host';
const TUNNEL = 'tunnel';
const KEPT = 'kept';
const HANDED_OVER = 'handed-over';
const DIRECTORY = 'directory';

/** The two functions of @actions/core that keep a step's state. */
export interface StateStore {
  readonly getState: (name: string) => string;
  readonly saveState: (name: string, value: string) => void;
}

/**
 * The state that GitHub keeps for the step. `saveState` appends to the file GITHUB_STATE synchronously, so it
 * outlives a killed process. Source: actions/toolkit packages/core/src/file-command.ts.
 */
export function githubState({ getState, saveState }: StateStore): State {
  return {
    isKept: getState(KEPT) === 'true',
    keep: () => saveState(KEPT, 'true'),
    isHandedOver: getState(HANDED_OVER) === 'true',
    handOver: () => saveState(HANDED_OVER, 'true'),
    directory: getState(DIRECTORY) || undefined,
    rememberDirectory: (path) => saveState(DIRECTORY, path),
    remember: (state) => saveState(KEY, JSON.stringify(state)),
    recall: () => parsed(getState(KEY)) as SavedState | undefined,
    rememberHost: (host) => saveState(HOST, JSON.stringify(host)),
    rememberTunnel: (tunnel) => saveState(TUNNEL, JSON.stringify(tunnel)),
    recallTunnel: () => parsed(getState(TUNNEL)) as SavedTunnel | undefined,
    recallHost: () => parsed(getState(HOST)) as SavedHost | undefined,
  };
}

function parsed(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}
