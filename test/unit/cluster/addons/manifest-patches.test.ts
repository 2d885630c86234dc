import { describe, expect, it } from 'vitest';
import { withCalicoPool, withFlannelNetwork } from '../../../../src/cluster/addons/manifest-patches.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';

/** The relevant parts of each manifest, in the shape of the real one. */
const flannel = `
kind: Namespace
apiVersion: v1
metadata:
  name: kube-flannel
---
kind: ConfigMap
apiVersion: v1
metadata:
  name: kube-flannel-cfg
  namespace: kube-flannel
data:
  cni-conf.json: |
    { "name": "cbr0" }
  net-conf.json: |
    {
      "Network": "10.244.0.0/16",
      "EnableNFTables": false,
      "Backend": {
        "Type": "host-gw"
      }
    }
`;
const calico = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: calico-config
  namespace: kube-system
data:
  calico_backend: "vxlan"
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: calico-node
  namespace: kube-system
spec:
  selector:
    matchLabels:
      k8s-app: calico-node
  template:
    metadata:
      labels:
        k8s-app: calico-node
    spec:
      hostNetwork: true
      initContainers:
        - name: install-cni
          env:
            - name: CNI_CONF_NAME
              value: 10-calico.conflist
      containers:
        - name: calico-node
          image: quay.io/calico/node:v3.31.7
          env:
            - name: NODENAME
              valueFrom:
                fieldRef:
                  fieldPath: spec.nodeName
            - name: CALICO_IPV4POOL_IPIP
              value: "Always"
            - name: CALICO_IPV4POOL_VXLAN
              value: "CrossSubnet"
            # - name: CALICO_IPV4POOL_CIDR
            #   value: "192.168.0.0/16"
            - name: FELIX_HEALTHENABLED
              value: "true"
`;

describe('withFlannelNetwork', () => {
  it('sets the pod network of the cluster and VXLAN, and nothing else', () => {
    const [namespace, before] = parseManifest(flannel);
    const [sameNamespace, after] = withFlannelNetwork(parseManifest(flannel), '10.95.0.0/16');
    expect(sameNamespace).toEqual(namespace);
    const { data } = after as unknown as { data: Record<string, string> };
    expect(JSON.parse(data['net-conf.json'] ?? '')).toEqual({
      Network: '10.95.0.0/16',
      EnableNFTables: false,
      Backend: { Type: 'vxlan' },
    });
    expect({ ...after, data: { ...data, 'net-conf.json': '' } }).toEqual({
      ...before,
      data: { 'cni-conf.json': '{ "name": "cbr0" }\n', 'net-conf.json': '' },
    });
  });

  it('refuses another manifest', () => {
    expect(() => withFlannelNetwork(parseManifest(calico), '10.95.0.0/16')).toThrow('no ConfigMap kube-flannel-cfg');
  });
});

describe('withCalicoPool', () => {
  const made = withCalicoPool(parseManifest(calico), '10.95.0.0/16');
  const podSpec = (made[1] as unknown as { spec: { template: { spec: Record<string, unknown> } } }).spec.template.spec;

  it('encapsulates every packet between machines, and uses the pod network of the cluster', () => {
    expect(podSpec['containers']).toEqual([
      {
        name: 'calico-node',
        image: 'quay.io/calico/node:v3.31.7',
        env: [
          { name: 'NODENAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'FELIX_HEALTHENABLED', value: 'true' },
          { name: 'CALICO_IPV4POOL_CIDR', value: '10.95.0.0/16' },
          { name: 'CALICO_IPV4POOL_VXLAN', value: 'Always' },
          { name: 'CALICO_IPV4POOL_IPIP', value: 'Never' },
        ],
      },
    ]);
  });

  it('leaves everything else unchanged', () => {
    const [config, node] = parseManifest(calico);
    expect(made[0]).toEqual(config);
    const withoutContainers = structuredClone(made[1]) as unknown as typeof node & {
      spec: { template: { spec: Record<string, unknown> } };
    };
    const original = structuredClone(node) as typeof withoutContainers;
    delete withoutContainers.spec.template.spec['containers'];
    delete original.spec.template.spec['containers'];
    expect(withoutContainers).toEqual(original);
  });

  it('refuses another manifest', () => {
    expect(() => withCalicoPool(parseManifest(flannel), '10.95.0.0/16')).toThrow('no DaemonSet calico-node');
  });
});
