import { describe, expect, it } from 'vitest';
import { checkKubeadm, withRegistry } from '../../../../src/cluster/registry/nodes.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';

function object(kind: string, spec: object): KubernetesObject {
  return { apiVersion: 'v1beta2', kind, metadata: { name: kind.toLowerCase() }, spec } as KubernetesObject;
}

const cluster = object('Cluster', { controlPlaneRef: { kind: 'KubeadmControlPlane' } });
const controlPlane = object('KubeadmControlPlane', {
  replicas: 1,
  kubeadmConfigSpec: { files: [{ path: '/a' }], preKubeadmCommands: ['first'] },
});
const template = object('KubeadmConfigTemplate', { template: { spec: { joinConfiguration: {} } } });
const workers = (kind: string): KubernetesObject =>
  object('MachineDeployment', { template: { spec: { bootstrap: { configRef: { kind } } } } });

describe('the nodes of a cluster with a registry', () => {
  const added = withRegistry([controlPlane, template, workers('KubeadmConfigTemplate')], {
    address: '10.86.1.9',
    localPort: 5001,
  });

  it('are given the registry and a command that ends the bootstrap when it fails, after those of the template', () => {
    const command = 'sh /etc/knest-action/registry.sh || exit 1';
    const hosts = {
      path: '/etc/containerd/certs.d/localhost:5001/hosts.toml',
      owner: 'root:root',
      permissions: '0644',
      content:
        'server = "http://10.86.1.9:5000"\n\n[host."http://10.86.1.9:5000"]\n  capabilities = ["pull", "resolve"]\n',
    };
    const script = { path: '/etc/knest-action/registry.sh', permissions: '0755' };
    expect(added).toMatchObject([
      {
        spec: {
          replicas: 1,
          kubeadmConfigSpec: { files: [{ path: '/a' }, hosts, script], preKubeadmCommands: ['first', command] },
        },
      },
      {
        spec: { template: { spec: { joinConfiguration: {}, files: [hosts, script], preKubeadmCommands: [command] } } },
      },
      workers('KubeadmConfigTemplate'),
    ]);
  });

  it('can have an IPv6 address', () => {
    const text = JSON.stringify(withRegistry([template], { address: 'fd00::9', localPort: 5000 }));
    // containerd 1.6 cannot read a table that is named after it.
    expect(text).toContain(JSON.stringify('server = "http://[fd00::9]:5000"\n\n[host]\n'));
    // As NO_PROXY has addresses.
    expect(text).toContain("address='fd00::9'");
  });

  it('are those of kubeadm alone', () => {
    checkKubeadm(cluster, [controlPlane, template, workers('KubeadmConfigTemplate')]);
    checkKubeadm(cluster, [controlPlane]);
    const refused: readonly (readonly [KubernetesObject, readonly KubernetesObject[], string])[] = [
      [object('Cluster', { topology: {} }), [], 'a ClusterClass'],
      [object('Cluster', { controlPlaneRef: { kind: 'RKE2ControlPlane' } }), [], 'RKE2ControlPlane'],
      [cluster, [controlPlane, workers('RKE2ConfigTemplate')], 'RKE2ConfigTemplate'],
      [cluster, [template], 'not in the template'],
    ];
    for (const [one, others, reason] of refused) expect(() => checkKubeadm(one, others)).toThrow(reason);
  });
});
