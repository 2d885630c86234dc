import type { Node, Pod, ResourceQuota } from '../../host/api/objects.ts';
import { MEBIBYTE, parseBytes, parseMilliCpu } from '../../values/quantity.ts';
import type { MachineRequests } from '../engines/engine.ts';

/** What the containers of a pod request together. */
function requestsOf({ spec }: Pod): MachineRequests {
  const all = (spec?.containers ?? []).map(({ resources }) => resources?.requests ?? {});
  const sum = (of: (requests: Readonly<Record<string, string>>) => number | undefined): number =>
    all.reduce((total, requests) => total + (of(requests) ?? 0), 0);
  return {
    milliCpu: sum(({ cpu = '' }) => parseMilliCpu(cpu)),
    mebibytes: sum(({ memory = '' }) => (parseBytes(memory) ?? 0) / MEBIBYTE),
  };
}

/**
 * What a node has left beside these pods, of which those count that run on it; without pods, what it has in all. A node
 * that does not say how large it is may have any room.
 */
function roomOn({ metadata: { name }, status }: Node, pods: readonly Pod[]): MachineRequests {
  const used = pods.filter((one) => one.spec?.nodeName === name && !isEnded(one)).map(requestsOf);
  const { cpu = '', memory = '' } = status?.allocatable ?? {};
  return {
    milliCpu: (parseMilliCpu(cpu) ?? Infinity) - used.reduce((sum, one) => sum + one.milliCpu, 0),
    mebibytes: (parseBytes(memory) ?? Infinity) / MEBIBYTE - used.reduce((sum, one) => sum + one.mebibytes, 0),
  };
}

function fits(requests: MachineRequests, room: MachineRequests): boolean {
  return room.milliCpu >= requests.milliCpu && room.mebibytes >= requests.mebibytes;
}

/** Whether a node would have room if it were empty. */
export function fitsOnEmpty(requests: MachineRequests, node: Node): boolean {
  return fits(requests, roomOn(node, []));
}

/** Whether a pod runs no more, and so takes no room. */
export function isEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/**
 * Why no node of the host has room for one more pod like `pod` beside those that run on them; undefined when one has.
 * Affinities and taints are left to the scheduler. `pods`: those of the whole host.
 */
export function findLackOfRoom(pod: Pod, nodes: readonly Node[], pods: readonly Pod[]): readonly string[] | undefined {
  const requests = requestsOf(pod);
  const lacks: string[] = [];
  for (const node of nodes) {
    const { name, labels = {} } = node.metadata;
    const selector = Object.entries(pod.spec?.nodeSelector ?? {});
    if (!selector.every(([label, value]) => labels[label] === value)) continue;
    if (node.spec?.unschedulable === true) {
      lacks.push(`Node ${name} is cordoned`);
      continue;
    }
    const room = roomOn(node, pods);
    if (fits(requests, room)) return undefined;
    lacks.push(
      `Node ${name} has ${Math.floor(room.mebibytes)}Mi of memory and ${Math.floor(room.milliCpu)}m of CPU left of what pods can request`,
    );
  }
  return [`a machine requests ${Math.ceil(requests.mebibytes)}Mi of memory and ${requests.milliCpu}m of CPU`, ...lacks];
}

/** Which quota of the namespace one more pod like `pod` would exceed; undefined when none. */
export function findExceededQuota(pod: Pod, quotas: readonly ResourceQuota[]): string | undefined {
  const { milliCpu, mebibytes } = requestsOf(pod);
  const count = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);
  const bytes = mebibytes * MEBIBYTE;
  const wanted: readonly (readonly [string, number, (text: string) => number | undefined])[] = [
    ['pods', 1, count],
    ['count/pods', 1, count],
    ['cpu', milliCpu, parseMilliCpu],
    ['requests.cpu', milliCpu, parseMilliCpu],
    ['memory', bytes, parseBytes],
    ['requests.memory', bytes, parseBytes],
  ];
  for (const { metadata, spec, status } of quotas) {
    // One for some pods alone may not count those of machines.
    if (spec?.scopes !== undefined || spec?.scopeSelector !== undefined) continue;
    for (const [resource, amount, parse] of wanted) {
      const [hard, used] = [status?.hard?.[resource], status?.used?.[resource]];
      const free = (parse(hard ?? '') ?? Infinity) - (parse(used ?? '') ?? 0);
      if (free < amount) return `ResourceQuota ${metadata.name}: ${resource} ${used ?? '0'} of ${hard ?? ''} is used`;
    }
  }
  return undefined;
}
