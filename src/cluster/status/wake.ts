import { hasStatus } from '../../host/api/api-error.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Kind } from '../../host/api/kinds.ts';
import type { Machine } from '../../host/api/cluster-api-objects.ts';
import { conditionOf } from '../../host/api/objects.ts';
import { engineOfMachine } from '../engines/engines.ts';
import { hasJoined, virtualMachineOf, type ClusterView } from './cluster-view.ts';

/** An annotation that changes whenever a controller is to look at an object. */
const LOOK = 'knest-action/look';
/** Milliseconds between two wakes of a machine: the provider may look before it has seen what there is to see. */
const WAKE_EVERY = 2_000;
/** Requests at once: a cluster may have hundreds of machines. */
const MOST_AT_ONCE = 4;

/** Asks the controller of an object to look at it. Resolves whether these credentials may ask. Never rejects. */
export async function askToLook(
  client: KubernetesClient,
  kind: Kind,
  name: string,
  namespace: string,
): Promise<boolean> {
  const body = { metadata: { annotations: { [LOOK]: new Date().toISOString() } } };
  return client.patch(kind, name, namespace, body).then(
    () => true,
    (thrown: unknown) => !hasStatus(thrown, 403),
  );
}

/**
 * Has a provider that is slow to look at its machines look at once where there is something to see: bootstrap data for a
 * machine without a VM, or a VM that is ready and whose machine is not a node yet.
 */
export class Waker {
  readonly #client: KubernetesClient;
  /** Milliseconds of a clock that only goes forward. */
  readonly #now: () => number;
  /** When each machine was woken last. */
  readonly #woken = new Map<string, number>();
  #running = 0;
  /** Whether these credentials may not: then the provider comes when it comes. */
  #isRefused = false;

  constructor(client: KubernetesClient, now: () => number = () => performance.now()) {
    this.#client = client;
    this.#now = now;
  }

  /** Wakes the provider of the machines that wait for it. Never rejects, and waits for nothing. */
  wake(view: ClusterView): void {
    for (const machine of view.machines) {
      if (this.#isRefused || this.#running >= MOST_AT_ONCE) return;
      const last = this.#woken.get(machine.metadata.name) ?? Number.NEGATIVE_INFINITY;
      if (this.#now() - last < WAKE_EVERY || !hasSomethingToSee(machine, view)) continue;
      this.#woken.set(machine.metadata.name, this.#now());
      this.#running++;
      void this.#annotate(machine).finally(() => this.#running--);
    }
  }

  async #annotate(machine: Machine): Promise<void> {
    const name = machine.spec?.infrastructureRef?.name;
    const kind = engineOfMachine(machine).kinds?.machine;
    if (name === undefined || kind === undefined) return;
    this.#isRefused ||= !(await askToLook(this.#client, kind, name, machine.metadata.namespace ?? ''));
  }
}

function hasSomethingToSee(machine: Machine, view: ClusterView): boolean {
  const { metadata, spec } = machine;
  if (metadata.deletionTimestamp !== undefined || hasJoined(machine) || !engineOfMachine(machine).isSlowToLook) {
    return false;
  }
  const virtualMachine = virtualMachineOf(machine, view);
  return virtualMachine === undefined
    ? spec?.bootstrap?.dataSecretName !== undefined
    : conditionOf(virtualMachine, 'Ready')?.status === 'True';
}
