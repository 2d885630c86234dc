import type { KubernetesClient } from '../../host/api/client.ts';
import { firstLineOf, KnestError } from '../../errors.ts';
import { ApiError, hasStatus, isTransient } from '../../host/api/api-error.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Pod } from '../../host/api/objects.ts';
import { openPortForward, type PortForward, type PortForwardEvents } from '../../host/port-forward.ts';
import { retry } from '../../retry.ts';
import { servingPod, type HostPod } from './host-pod.ts';

/** Milliseconds for which a new connection waits until the API server and the pod are there. */
const PATIENCE = 60_000;
/** Handshakes at once: each is a TLS session with the API server, and a job may open a hundred connections. */
const HANDSHAKES = 16;

/** Connections to the relay or the registry of a cluster, whichever pod that is at the time. */
export class PodConnections {
  readonly #client: KubernetesClient;
  readonly #target: HostPod;
  readonly #onPod: (pod: Pod) => void;
  readonly #patience: number;
  /** The pod that answered last; undefined when it has to be looked up. */
  #pod: Promise<Pod> | undefined;
  #handshakes = 0;
  readonly #waiting: (() => void)[] = [];

  /** `onPod` is called with each pod that connections go to from then on. */
  constructor(
    client: KubernetesClient,
    target: HostPod,
    onPod: (pod: Pod) => void = () => undefined,
    patience = PATIENCE,
  ) {
    this.#client = client;
    this.#target = target;
    this.#onPod = onPod;
    this.#patience = patience;
  }

  /**
   * Opens a connection. Tries again for a minute while the API server or the pod is away, but not after a failure for which
   * `isFinal` returns true; by default, when these credentials may not. A connection that ended with a problem has the pod
   * looked up again. Rejects with the last failure.
   */
  async open(
    events: PortForwardEvents,
    signal: AbortSignal,
    isFinal: (thrown: unknown) => boolean = isForbidden,
  ): Promise<PortForward> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.#patience)]);
    let last: unknown;
    const tries = retry(
      () =>
        this.#tryOnce(events, within).catch((thrown: unknown) => {
          last = thrown;
          throw thrown;
        }),
      {
        signal: within,
        tries: Number.POSITIVE_INFINITY,
        isRetried: (thrown) => !isFinal(thrown) && !within.aborted,
      },
    );
    return tries.catch((thrown: unknown) => {
      throw last ?? thrown;
    });
  }

  async #tryOnce(events: PortForwardEvents, signal: AbortSignal): Promise<PortForward> {
    await this.#turn(signal);
    const lookup = (this.#pod ??= this.#find(signal));
    const forget = (): void => {
      if (this.#pod === lookup) this.#pod = undefined;
    };
    try {
      const pod = await lookup;
      const { namespace, port } = this.#target;
      const target = { namespace, pod: pod.metadata.name, port };
      const onEnd = (problem: string | undefined): void => {
        if (problem !== undefined) forget();
        events.onEnd(problem === undefined ? undefined : `${problem}${describeRuntime(pod)}`);
      };
      return await openPortForward(this.#client, target, { ...events, onEnd }, signal);
    } catch (thrown) {
      forget();
      throw thrown;
    } finally {
      this.#handshakes -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Resolves when another handshake may begin, and counts it. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#handshakes >= HANDSHAKES) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#handshakes += 1;
    if (!signal.aborted) return;
    this.#handshakes -= 1;
    this.#waiting.shift()?.();
    signal.throwIfAborted();
  }

  async #find(signal: AbortSignal): Promise<Pod> {
    const pods = await this.#client.briefly(signal).list(Kinds.pod, this.#target.pods);
    const newest = servingPod(pods);
    if (newest === undefined) throw new Error(`no pod of ${this.#target.title} is ready (${pods.length} in all)`);
    this.#onPod(newest);
    return newest;
  }
}

/**
 * Opens one connection to such a pod and closes it. Returns the pod that it went to. Throws KNEST_API_ACCESS when the host
 * does not forward ports, such as a gateway in front of its API server that passes no WebSockets on: the tunnel could only
 * log it. Throws KNEST_PERMISSION for a refusal. A host or a pod that is away is waited for as long as a connection would.
 */
export async function checkPod(
  client: KubernetesClient,
  target: HostPod,
  signal: AbortSignal,
  patience = PATIENCE,
): Promise<Pod | undefined> {
  const nothing = (): void => undefined;
  const events = { onData: nothing, onDrain: nothing, onEnd: nothing };
  const pods: Pod[] = [];
  const connections = new PodConnections(client, target, (pod) => void pods.push(pod), patience);
  try {
    const connection = await connections.open(events, signal, (thrown) => isForbidden(thrown) || isRefusal(thrown));
    connection.close();
    return pods.at(-1);
  } catch (thrown) {
    if (signal.aborted || isForbidden(thrown)) throw thrown;
    throw new KnestError({
      code: 'KNEST_API_ACCESS',
      problem: `the host does not forward ports to a pod: ${firstLineOf(thrown)}`,
      next: 'check for a proxy or gateway in front of its API server: it has to pass WebSockets on as they are',
      cause: thrown,
    });
  }
}

function isForbidden(thrown: unknown): boolean {
  return hasStatus(thrown, 403);
}

/** Whether an answer came that the next try does not change. */
function isRefusal(thrown: unknown): boolean {
  if (thrown instanceof ApiError) return !isTransient(thrown) && thrown.status !== 401 && thrown.status !== 404;
  return thrown instanceof KnestError && thrown.code === 'KNEST_HOST_REQUEST';
}

/** Runtimes in virtual machines do not forward to the loopback of a pod. Source: kata-containers, gVisor. */
function describeRuntime({ spec }: Pod): string {
  return spec?.runtimeClassName === undefined
    ? ''
    : ` (the host runs it with RuntimeClass ${spec.runtimeClassName}, which may not forward ports to 127.0.0.1)`;
}
