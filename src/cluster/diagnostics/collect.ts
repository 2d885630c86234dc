import { firstLineOf } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Pod } from '../../host/api/objects.ts';
import { fileNames } from '../../values/file-name.ts';
import { namesIn, newestEvents } from '../status/conditions.ts';
import { consoleTail } from '../status/console.ts';
import { controllerLogs, distinctErrors } from './controller-logs.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';
import { conditionsTree } from './conditions-tree.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/** One part of the diagnostics: a file, and what of it the log shows. */
export interface Finding {
  readonly title: string;
  /** The name of its file. */
  readonly file: string;
  readonly lines: readonly string[];
  /** The most important lines. */
  readonly shown: readonly string[];
}

/** How much is read: `brief` takes two rounds of small requests, `whole` reads logs as well. */
export type Thoroughness = 'brief' | 'whole';

const EVENTS = 200;
const SHOWN_EVENTS = 20;
const CONSOLE_LINES = 500;
const SHOWN_CONSOLE_LINES = 30;
const SHOWN_ERRORS = 10;

/**
 * Collects what shows why a cluster is not as it should be; no Secret and no user data is read. Empty when there is
 * no Cluster. A line reports what cannot be read, or not before the client's signal aborts. Never rejects.
 */
export async function collectDiagnostics(
  client: KubernetesClient,
  handle: ClusterHandle,
  thoroughness: Thoroughness,
): Promise<readonly Finding[]> {
  const snapshot = await takeSnapshot(client, handle);
  if (snapshot.view.cluster === undefined && snapshot.unread.length === 0) return [];
  const tree = conditionsTree(snapshot, Date.now());
  const conditions = { title: 'Conditions', file: 'conditions.txt', lines: tree, shown: tree };
  const others =
    thoroughness === 'brief'
      ? [events(client, handle, snapshot)]
      : [
          events(client, handle, snapshot),
          ...snapshot.view.pods.map((pod) => consoleOf(client, pod, snapshot)),
          controllers(client, handle, snapshot),
        ];
  const findings = [conditions, ...(await Promise.all(others)).flat()];
  const files = fileNames(findings.map(({ file }) => file));
  return findings.map((finding, index) => ({ ...finding, file: files[index] ?? finding.file }));
}

async function events(
  client: KubernetesClient,
  handle: ClusterHandle,
  { view }: Snapshot,
): Promise<readonly Finding[]> {
  const lines = await orReason(newestEvents(client, handle, view, EVENTS));
  return [{ title: 'Events, newest first', file: 'events.txt', lines, shown: lines.slice(0, SHOWN_EVENTS) }];
}

async function consoleOf(client: KubernetesClient, pod: Pod, { view }: Snapshot): Promise<readonly Finding[]> {
  const { name } = pod.metadata;
  const lines = await orReason(consoleTail(client, pod, view, CONSOLE_LINES));
  const shown = lines.slice(-SHOWN_CONSOLE_LINES);
  return [{ title: `Console of ${name}`, file: `console-${name}.log`, lines, shown }];
}

async function controllers(
  client: KubernetesClient,
  handle: ClusterHandle,
  { view }: Snapshot,
): Promise<readonly Finding[]> {
  const logs = await controllerLogs(client, handle.namespace, new Set([handle.name, ...namesIn(view)]));
  return logs
    .filter(({ lines }) => lines.length > 0)
    .map(({ pod, lines }) => {
      const file = `controller-${pod.replace(/^.*\//, '')}.log`;
      return { title: `Errors of ${pod}`, file, lines, shown: distinctErrors(lines).slice(-SHOWN_ERRORS) };
    });
}

async function orReason(read: Promise<readonly string[]>): Promise<readonly string[]> {
  return read.catch((thrown: unknown) => [`cannot read this: ${firstLineOf(thrown)}`]);
}
