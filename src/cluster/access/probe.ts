import { hasStatus } from '../../host/api/api-error.ts';
import { connectPlain } from '../../host/connect.ts';
import { firstLineOf } from '../../errors.ts';

/** Seconds for each request of a probe. */
export const PROBE_SECONDS = 3;
const SYSTEM_NAMESPACE = '/api/v1/namespaces/kube-system';

/**
 * What a cluster has once kubeadm has set it up, beyond an API server that answers: its configuration, which Cluster API
 * waits for as well (controlplane/kubeadm/internal/workload_cluster.go), and the account of pods, which its controllers make.
 */
export const SET_UP_BY_KUBEADM = [
  `${SYSTEM_NAMESPACE}/configmaps/kubeadm-config`,
  '/api/v1/namespaces/default/serviceaccounts/default',
];

/** Why a nested API server does not answer. */
export interface Unanswered {
  readonly problem: string;
  /** Whether nothing at all came back, as from an address to which no way leads. A refused connection is an answer. */
  readonly isSilence: boolean;
}

/**
 * Why a nested API server does not answer by a kubeconfig, which is its text; undefined when it does, and has all of
 * `objects`, the paths of what has to be there. Rejects only once the signal aborts.
 */
export async function probe(
  kubeconfig: string,
  signal: AbortSignal,
  objects: readonly string[] = [],
): Promise<Unanswered | undefined> {
  const { rest } = connectPlain(kubeconfig, signal);
  const once = { method: 'GET', retries: 0, timeoutSeconds: PROBE_SECONDS } as const;
  try {
    const isHealthy = await rest.text({ ...once, path: '/readyz' }).then(
      () => true,
      (thrown: unknown) => {
        // Cluster API's in-memory API server has no health endpoints.
        if (hasStatus(thrown, 404)) return false;
        throw thrown;
      },
    );
    for (const path of isHealthy ? objects : [SYSTEM_NAMESPACE]) await rest.json({ ...once, path });
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return { problem: firstLineOf(thrown), isSilence: isSilence(thrown) };
  }
}

/** What the system and the client library call a connection to nowhere. */
const SILENCE = ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];

function isSilence(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const isSilent = 'code' in thrown && SILENCE.includes(String(thrown.code));
  return isSilent || thrown.name === 'TimeoutError' || isSilence(thrown.cause);
}
