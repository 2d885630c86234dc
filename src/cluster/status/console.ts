import { stripVTControlCharacters } from 'node:util';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Pod } from '../../host/api/objects.ts';
import { logPath } from '../../host/pods.ts';
import { hasStatus } from '../../host/api/api-error.ts';
import { linesOf } from '../../host/api/stream-lines.ts';
import { isOwnPod } from '../identity/identity.ts';
import type { DeadEnd } from './dead-end.ts';
import { podsThatCount } from './find-dead-end.ts';
import { engineOfPod, machineOf, type ClusterView } from './cluster-view.ts';

/**
 * The last word of kubeadm (cmd/kubeadm/app/util/error.go), of cloud-init, and of the script for a registry
 * (src/cluster/registry/node-script.ts), when a machine cannot become a node.
 */
const FAILURE =
  /To see the stack trace of this error execute with|Failed to run module scripts[-_]user|^error: knest-action: registry/;
const OF_REGISTRY = /knest-action: registry/;
const IMAGE_ADVICE =
  'check that the image of the machine matches kubernetes-version and supports pod-network-cidr and service-cidr';
const REGISTRY_ADVICE =
  'use a node image whose containerd takes a registry (docs/recipes/registry.md), or leave registry out';
/** What the journal puts before the output of a unit on the console: `[   25.1] cloud-init[623]: `. Source: systemd. */
const UNIT = /^(\[ *[\d.]+\] )?[\w-]+\[\d+\]: /;
/** How kubeadm begins the line before it, which says why. */
const REASON = /^error[: ]/;
/** What kubeadm prints to be copied: bootstrap tokens, certificate keys, and hashes beside them. */
const SECRET = /\b[a-z0-9]{6}\.[a-z0-9]{16}\b|\b[0-9a-f]{40,}\b/g;
const TELLING = /error|fail|fatal|denied|refused|timed? ?out|cannot|unable/i;
const KEPT_LINES = 200;
const TOLD_LINES = 6;
const LONGEST_LINE = 300;
/** Milliseconds after which a console that was cut is opened again. */
const REOPEN_AFTER = 2_000;

/**
 * Reads the serial consoles of a cluster's machines, which are their pods' logs, and recognises a bootstrap that
 * failed: no object of Cluster API ever says so.
 */
export class Consoles {
  readonly #client: KubernetesClient;
  readonly #signal: AbortSignal;
  readonly #lines = new Map<string, string[]>();
  /** When each console may be opened again, of performance.now(): never while it is open, or when it cannot be read. */
  readonly #reopenAt = new Map<string, number>();
  /** Why a bootstrap failed, by the pod's name: noted as it is read, since more lines may follow. */
  readonly #failures = new Map<string, string>();

  constructor(client: KubernetesClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** Opens the consoles of running pods that are not open yet, and again those that were cut. */
  follow(view: ClusterView): void {
    for (const pod of view.pods) {
      const { name } = pod.metadata;
      if (isOwnPod(pod.metadata)) continue;
      if (pod.status?.phase !== 'Running' || (this.#reopenAt.get(name) ?? 0) > performance.now()) continue;
      this.#reopenAt.set(name, Number.POSITIVE_INFINITY);
      void this.#open(pod, consolePath(pod, view, { follow: 'true' }));
    }
  }

  /** Reads a console until it ends. One that cannot be read costs evidence and nothing else: never rejects. */
  async #open(pod: Pod, path: string): Promise<void> {
    try {
      await this.#read(pod, path);
    } catch (thrown) {
      if (hasStatus(thrown, 403)) return;
    }
    this.#reopenAt.set(pod.metadata.name, performance.now() + REOPEN_AFTER);
  }

  /** The first machine whose bootstrap has failed. */
  deadEnd(view: ClusterView): DeadEnd | undefined {
    for (const pod of podsThatCount(view)) {
      const reason = this.#failures.get(pod.metadata.name);
      const machine = machineOf(pod, view);
      if (reason === undefined || machine?.status?.nodeRef !== undefined) continue;
      return {
        code: 'KNEST_BOOTSTRAP',
        problem: `machine ${machine?.metadata.name ?? pod.metadata.name} could not become a node: ${reason}`,
        evidence: this.telling(pod).map((line) => `console of ${pod.metadata.name}: ${line}`),
        next: OF_REGISTRY.test(reason) ? REGISTRY_ADVICE : IMAGE_ADVICE,
      };
    }
    return undefined;
  }

  /** The last lines of a console that tell of trouble. */
  telling(pod: Pod): readonly string[] {
    const telling = (this.#lines.get(pod.metadata.name) ?? []).filter((line) => TELLING.test(line));
    return telling.slice(-TOLD_LINES).map((line) => line.trim().slice(0, LONGEST_LINE));
  }

  async #read({ metadata }: Pod, path: string): Promise<void> {
    const response = await this.#client.rest.stream(path, this.#signal);
    // From its first line, also when it is opened again.
    const lines: string[] = [];
    this.#lines.set(metadata.name, lines);
    for await (const whole of linesOf(response)) {
      const line = whole.replace(UNIT, '');
      lines.push(withoutSecrets(line));
      if (FAILURE.test(line))
        this.#failures.set(metadata.name, (lines.findLast((one) => REASON.test(one)) ?? line).trim());
      if (lines.length > KEPT_LINES) lines.shift();
    }
  }
}

/** The last lines of a machine's console. Throws what RestClient throws. */
export async function consoleTail(
  client: KubernetesClient,
  pod: Pod,
  view: ClusterView,
  lines: number,
): Promise<readonly string[]> {
  const path = consolePath(pod, view, { tailLines: String(lines) });
  const text = await client.rest.text({ method: 'GET', path, retries: 0 });
  return stripVTControlCharacters(text).trimEnd().split(/\r*\n/).map(withoutSecrets);
}

/** The path of the log that is the console of the machine in a pod. */
function consolePath(pod: Pod, view: ClusterView, parameters: Readonly<Record<string, string>>): string {
  const container = engineOfPod(pod, view).virtualMachines?.consoleOf(pod);
  return logPath(pod, { ...(container !== undefined && { container }), ...parameters });
}

function withoutSecrets(line: string): string {
  return line.replace(SECRET, '***');
}
