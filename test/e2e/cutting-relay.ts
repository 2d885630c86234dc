import { readFileSync, writeFileSync } from 'node:fs';
import { Program, supportProgram, type Wrap } from './program.ts';

/** When it cuts: after so many seconds of silence, or once, after so many bytes. */
type Limit = { readonly silence: number } | { readonly bytes: number };

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server: string } }[];
}

/**
 * Starts a relay that cuts connections (test/support/cutting-relay.ts), in that network, and has the kubeconfig in `file`
 * (JSON) reach its server through it.
 */
export async function startCuttingRelay(wrap: Wrap, file: string, limit: Limit): Promise<Program> {
  const kubeconfig = JSON.parse(readFileSync(file, 'utf8')) as Kubeconfig;
  const [{ name, cluster } = { name: '', cluster: { server: '' } }] = kubeconfig.clusters;
  const { hostname, port } = new URL(cluster.server);
  const argv = supportProgram('cutting-relay.ts', hostname, port, ...Object.entries(limit).flat().map(String));
  const relay = await Program.start(wrap, argv);
  const through = { ...cluster, server: `https://127.0.0.1:${relay.first}`, 'tls-server-name': hostname };
  writeFileSync(file, JSON.stringify({ ...kubeconfig, clusters: [{ name, cluster: through }] }));
  return relay;
}
