import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { HELPER_IMAGE } from '../../../../src/catalog/addon-releases.ts';
import {
  withDefaultClass,
  withHelperImage,
  withInsecureKubelets,
  withToleration,
} from '../../../../src/cluster/addons/addon-patches.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';
import type { ConfigMap } from '../../../../src/host/api/objects.ts';

/** The relevant parts of each manifest, in the shape of the real one. */
const localPath = parseManifest(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local-path
provisioner: rancher.io/local-path
---
kind: ConfigMap
apiVersion: v1
metadata:
  name: local-path-config
  namespace: local-path-storage
data:
  setup: |-
    #!/bin/sh
  helperPod.yaml: |-
    apiVersion: v1
    kind: Pod
    metadata:
      name: helper-pod
    spec:
      priorityClassName: system-node-critical
      containers:
        - name: helper-pod
          image: docker.io/library/busybox
          imagePullPolicy: IfNotPresent
`);
const metricsServer = parseManifest(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: metrics-server, namespace: kube-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: metrics-server, namespace: kube-system}
spec:
  template:
    spec:
      containers:
        - name: metrics-server
          args: [--secure-port=10250]
        - name: other
`);

describe('local-path-provisioner', () => {
  it('has the default StorageClass', () => {
    const [storageClass] = withDefaultClass(localPath);
    expect(storageClass?.metadata.annotations).toEqual({ 'storageclass.kubernetes.io/is-default-class': 'true' });
  });

  it('has the image of its helper pinned by digest, and nothing else of the pod changed', () => {
    const configMap: ConfigMap | undefined = withHelperImage(localPath)[1];
    expect(configMap?.data?.['setup']).toBe('#!/bin/sh');
    expect(parse(configMap?.data?.['helperPod.yaml'] ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'helper-pod' },
      spec: {
        priorityClassName: 'system-node-critical',
        containers: [{ name: 'helper-pod', image: HELPER_IMAGE, imagePullPolicy: 'IfNotPresent' }],
      },
    });
    expect(HELPER_IMAGE).toMatch(/^docker\.io\/library\/busybox:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  it('is refused when the manifest is not the one that is known', () => {
    expect(() => withDefaultClass(metricsServer)).toThrow('the manifest has no StorageClass local-path');
    expect(() => withHelperImage(metricsServer)).toThrow('the manifest has no ConfigMap local-path-config');
  });
});

describe('metrics-server', () => {
  it('accepts the self-signed certificates of kubelets', () => {
    expect(withInsecureKubelets(metricsServer)[1]).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'metrics-server', args: ['--secure-port=10250', '--kubelet-insecure-tls'] },
              { name: 'other' },
            ],
          },
        },
      },
    });
  });

  it('runs on control planes with the toleration', () => {
    expect(withToleration(metricsServer, 'metrics-server')[1]).toMatchObject({
      spec: {
        template: {
          spec: {
            tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }],
          },
        },
      },
    });
  });
});
