import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { run } from '../host/process.ts';

/** The pods of the node, by the standard plugins alone: other CNIs would have to be downloaded. */
const PODS = '10.95.0.0/24';
const SERVICES = '10.97.0.0/16';
/** Seconds that kubeadm waits for the kubelet, and for the control plane. */
const PATIENCE = 1200;
/** The address that QEMU gives the machine. */
const ADDRESS = '10.0.2.15';

const network = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: PODS }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

/** The part of a KubeadmControlPlane that decides about the first machine. */
const kubeadmConfigSpec = {
  clusterConfiguration: {
    controlPlaneEndpoint: `${ADDRESS}:6443`,
    apiServer: { certSANs: ['127.0.0.1'] },
  },
  // Software emulation is slow, and a busy machine makes it slower: kubeadm would give up after four minutes.
  initConfiguration: {
    timeouts: { controlPlaneComponentHealthCheckSeconds: PATIENCE, kubeletHealthCheckSeconds: PATIENCE },
  },
  files: [{ path: '/etc/cni/net.d/10-pods.conflist', content: JSON.stringify(network) }],
};

/** What a control plane is started with, and entered by. */
export interface BootstrapData {
  readonly userData: string;
  /** The path of a kubeconfig for its API server. */
  readonly kubeconfig: string;
}

/** Has Cluster API's code make the bootstrap data of a cluster's first control plane. `port` of this machine leads to it. */
export async function makeBootstrapData(
  program: string,
  version: string,
  port: number,
  directory: string,
): Promise<BootstrapData> {
  const options = {
    cluster: 'image',
    'kubernetes-version': version,
    pods: PODS,
    services: SERVICES,
    server: `https://127.0.0.1:${port}`,
    output: directory,
  };
  const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
  await run(program, args, { input: stringify(kubeadmConfigSpec) });
  return {
    userData: readFileSync(join(directory, 'user_data'), 'utf8'),
    kubeconfig: join(directory, 'kubeconfig'),
  };
}
