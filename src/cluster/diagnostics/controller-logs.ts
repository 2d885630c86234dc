import { firstLineOf } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Pod } from '../../host/api/objects.ts';
import { logPath } from '../../host/pods.ts';
import { ENGINES } from '../engines/engines.ts';
import { PROVIDER_LABEL } from '../../catalog/components/component.ts';

/** Where controllers of engines run that have no provider label. */
const NAMESPACES = ENGINES.flatMap(({ controllerNamespaces }) => controllerNamespaces);
/** Lines of each log that are read: a host with many clusters writes some thousand in the time of a create. */
const READ_LINES = 5_000;

/** What the log of a controller has about a cluster. */
export interface ControllerLog {
  /** The controller's pod, `namespace/name`. */
  readonly pod: string;
  /** Every line that names the cluster, or something of it; or why there is none. */
  readonly lines: readonly string[];
}

/**
 * Reads what the controllers on the host wrote about objects of these names. A line reports what may not be read:
 * controllers run in other namespaces, which few jobs may read. Never rejects.
 */
export async function controllerLogs(
  client: KubernetesClient,
  namespace: string,
  names: ReadonlySet<string>,
): Promise<readonly ControllerLog[]> {
  const found = await Promise.all([
    controllers(client, PROVIDER_LABEL, { labelSelector: PROVIDER_LABEL }),
    ...NAMESPACES.map((name) => controllers(client, name, { namespace: name })),
  ]);
  const isAbout = aboutObjects(namespace, names);
  return Promise.all(
    found.flat().map(async (entry) => {
      if ('lines' in entry) return entry;
      const pod = `${entry.metadata.namespace ?? ''}/${entry.metadata.name}`;
      const path = logPath(entry, { tailLines: String(READ_LINES), ...mainContainer(entry) });
      const lines = await client.rest.text({ method: 'GET', path, retries: 0 }).then(
        (text) => text.split('\n').filter(isAbout),
        (thrown: unknown) => [notRead(thrown)],
      );
      return { pod, lines };
    }),
  );
}

/** A provider's own container, where it has a proxy beside it; kubebuilder names it so. */
function mainContainer({ spec }: Pod): { readonly container?: string } {
  return spec?.containers?.some(({ name }) => name === 'manager') === true ? { container: 'manager' } : {};
}

/** The pods, or a log with the reason why they cannot be listed. */
async function controllers(
  client: KubernetesClient,
  what: string,
  selection: { readonly namespace?: string; readonly labelSelector?: string },
): Promise<readonly (Pod | ControllerLog)[]> {
  return client.list(Kinds.pod, selection).catch((thrown: unknown) => [{ pod: what, lines: [notRead(thrown)] }]);
}

function notRead(thrown: unknown): string {
  return `cannot read this: ${firstLineOf(thrown)}`;
}

/**
 * Whether a line of a log is about one of these objects. Both namespace and name must be there, each as a whole: the
 * clusters of others share the controllers, and their names may begin like ours.
 */
export function aboutObjects(namespace: string, names: ReadonlySet<string>): (line: string) => boolean {
  const words = (line: string): readonly string[] => line.split(/[^a-zA-Z0-9.-]+/);
  return (line) => {
    const inLine = words(line);
    return inLine.includes(namespace) && inLine.some((word) => names.has(word));
  };
}

/** An error in the formats in which controllers log, klog's, zap's and JSON, and what could not be read. */
const ERROR = /^E\d{4} |\bERROR\b|"level":"error"|\berr(?:or)?"?[=:]\s*"?\S|^cannot read this: /;
/** What differs each time a controller tries the same again. */
const CHANGING = /[0-9a-f]{8}-[0-9a-f-]{27}|\d+/g;

/** The lines that report an error: the last line of each error, the newest at the end. */
export function distinctErrors(lines: readonly string[]): readonly string[] {
  const errors = new Map<string, string>();
  for (const line of lines.filter((one) => ERROR.test(one))) {
    const key = line.replace(CHANGING, '');
    errors.delete(key); // or it would keep its place
    errors.set(key, line);
  }
  return [...errors.values()];
}
