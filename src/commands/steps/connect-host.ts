import { KnestError } from '../../errors.ts';
import { type Connection } from '../../host/connection.ts';
import { connect, nestedClusterOf } from '../../host/connect.ts';
import { groupOf, Kinds } from '../../host/api/kinds.ts';
import { connectByOidc } from '../../host/oidc.ts';
import type { HostInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';
import { connectSaved, connectRuntime } from './credentials.ts';
import { notedHost } from './nested-host.ts';

/** Connects to the host, masks its secrets, and logs its address and the user. Errors: KNEST_HOST_*. */
export async function connectHost(inputs: { readonly host: HostInputs }, runtime: Runtime): Promise<Connection> {
  return runtime.report.log.step('Connect', async () => {
    const host = await connectAs(inputs.host, runtime);
    const version = await host.client.version();
    const userName = (await host.client.userName()) ?? host.user;
    return { value: host, result: `${host.server}, Kubernetes ${version}, as ${userName} (${host.source})` };
  });
}

/** Connects to a host for a command that works on existing clusters. Throws KNEST_HOST_CONFIG without Cluster API. */
export async function connectClusterHost(inputs: { readonly host: HostInputs }, runtime: Runtime): Promise<Connection> {
  const host = await connectHost(inputs, runtime);
  if ((await host.client.groups()).has(groupOf(Kinds.cluster))) return host;
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `${host.server} has no Cluster API, so this action has no clusters on it`,
    evidence: [`connected with ${host.source}`],
    next: 'connect to the host that create uses, for example with host-kubeconfig; create installs Cluster API',
  });
}

async function connectAs(inputs: HostInputs, runtime: Runtime): Promise<Connection> {
  if (inputs.oidc !== undefined) return connectByOidc(inputs.oidc, runtime.mintToken, connectRuntime(runtime));
  const isGiven = inputs.kubeconfig !== undefined || inputs.kubeconfigFile !== undefined;
  return (
    (isGiven ? undefined : await connectAgain(inputs.context, runtime)) ?? connect(inputs, connectRuntime(runtime))
  );
}

/**
 * Where an earlier step of this job left the kubeconfig of its nested cluster, the host of that cluster. Undefined
 * when there is no such kubeconfig. Throws KNEST_HOST_CONFIG when it is not known which host that was.
 */
async function connectAgain(context: string | undefined, runtime: Runtime): Promise<Connection | undefined> {
  const nested = nestedClusterOf(runtime.env, context);
  if (nested === undefined) return undefined;
  const title = `${nested.namespace}/${nested.name}`;
  const saved = await notedHost(nested, runtime.directory);
  if (saved !== undefined)
    return connectSaved(saved, `the host of ${title}, whose kubeconfig is in use`, runtime, { context });
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `the kubeconfig in use is that of the nested cluster ${title}, not of a host`,
    evidence: ['no earlier step of this job saved how it connected to the host of that cluster'],
    next: 'pass host-kubeconfig, host-kubeconfig-file or host-server to this step: these inputs take precedence over KUBECONFIG',
  });
}
