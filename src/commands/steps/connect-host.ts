import { KnestError } from '../../errors.ts';
import { type Connection } from '../../host/connection.ts';
import { connect, nestedClusterOf } from '../../host/connect.ts';
import { groupOf, Kinds } from '../../host/api/kinds.ts';
import { connectByOidc } from '../../host/oidc.ts';
import type { HostInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';
import { enterSaved, entryRuntime } from './credentials.ts';
import { notedHost } from './nested-host.ts';

/** Enters the host, its secrets masked from here on, and tells where and as whom. Errors: KNEST_HOST_*. */
export async function enterHost(inputs: { readonly host: HostInputs }, runtime: Runtime): Promise<Connection> {
  return runtime.report.log.step('Connect', async () => {
    const host = await connectAs(inputs.host, runtime);
    const version = await host.client.version();
    const userName = (await host.client.userName()) ?? host.user;
    return { value: host, result: `${host.server}, Kubernetes ${version}, as ${userName} (${host.source})` };
  });
}

/** Connects to a host for a command that works on existing clusters. Throws KNEST_HOST_CONFIG without Cluster API. */
export async function enterHostOfClusters(
  inputs: { readonly host: HostInputs },
  runtime: Runtime,
): Promise<Connection> {
  const host = await enterHost(inputs, runtime);
  if ((await host.client.groups()).has(groupOf(Kinds.cluster))) return host;
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `${host.server} has no Cluster API, so this action has no clusters on it`,
    evidence: [`connected with ${host.source}`],
    next: 'connect to the host that create uses, for example with host-kubeconfig; create installs Cluster API',
  });
}

async function connectAs(inputs: HostInputs, runtime: Runtime): Promise<Connection> {
  if (inputs.oidc !== undefined) return connectByOidc(inputs.oidc, runtime.mintToken, entryRuntime(runtime));
  const isGiven = inputs.kubeconfig !== undefined || inputs.kubeconfigFile !== undefined;
  return (isGiven ? undefined : await connectAgain(inputs.context, runtime)) ?? connect(inputs, entryRuntime(runtime));
}

/**
 * Where an earlier step of this job left the kubeconfig of its nested cluster, the host that this step entered. Undefined
 * when there is no such kubeconfig. Throws KNEST_HOST_CONFIG when it is not known which host that was.
 */
async function connectAgain(context: string | undefined, runtime: Runtime): Promise<Connection | undefined> {
  const nested = nestedClusterOf(runtime.env, context);
  if (nested === undefined) return undefined;
  const title = `${nested.namespace}/${nested.name}`;
  const saved = await notedHost(nested, runtime.directory);
  if (saved !== undefined)
    return enterSaved(saved, `the host of ${title}, whose kubeconfig is in use`, runtime, { context });
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `the kubeconfig in use is that of the nested cluster ${title}, not of a host`,
    evidence: ['no earlier step of this job saved how it connected to the host of that cluster'],
    next: 'pass host-kubeconfig, host-kubeconfig-file or host-server to this step: these inputs take precedence over KUBECONFIG',
  });
}
