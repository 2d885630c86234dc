import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { poolFingerprint } from '../../../../src/cluster/pool/fingerprint.ts';
import { hostWith } from '../../host/fake-host.ts';
import { readChosen } from '../../inputs/given-inputs.ts';
import { rejection } from '../../rejection.ts';

const directory = mkdtempSync(join(tmpdir(), 'fingerprint-'));
const [build, manifest] = ['index.js', 'cni.yaml'].map((name) => join(directory, name)) as [string, string];
writeFileSync(build, 'one version');

async function fingerprintOf(given: Readonly<Record<string, string>>, configMap?: unknown): Promise<string> {
  const { client } = await hostWith({ '/api/v1/namespaces/knest/configmaps/mine': configMap });
  return poolFingerprint(client, readChosen(given), build);
}

describe('poolFingerprint', () => {
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each([
    { 'worker-machine-count': '2' },
    { 'control-plane-machine-memory-size': '8Gi' },
    { 'worker-machine-rootfs-size': '8Gi' },
    { 'kubernetes-version': '1.34.1', infrastructure: 'kubevirt' },
    { infrastructure: 'in-memory' },
    { cni: 'flannel' },
    { addons: 'metrics-server' },
    { 'pod-network-cidr': '10.77.0.0/16' },
    { 'service-cidr': '10.78.0.0/16' },
    { 'api-access': 'node-port' },
    { 'api-access': 'load-balancer' },
  ])('changes with %j, which reaches the nodes', async (given) => {
    expect(await fingerprintOf(given)).not.toBe(await fingerprintOf({}));
  });

  it.each([
    { ttl: '2h' },
    { ephemeral: 'false' },
    { 'api-access': 'tunnel' },
    { 'wait-for': 'nodes' },
    { timeout: '1h' },
    { 'keep-on-failure': 'true' },
    { mirror: 'https://mirror.example.com' },
  ])('does not change with %j, which each job may have otherwise', async (given) => {
    expect(await fingerprintOf(given)).toBe(await fingerprintOf({}));
  });

  it('changes with the content of files and ConfigMaps, and with the version of the action', async () => {
    writeFileSync(manifest, 'one');
    const one = await fingerprintOf({ cni: manifest });
    writeFileSync(manifest, 'other');
    expect(await fingerprintOf({ cni: manifest })).not.toBe(one);

    const template = { 'cluster-template': 'configmap:knest/mine' };
    const first = await fingerprintOf(template, { data: { value: 'one' } });
    expect(await fingerprintOf(template, { data: { value: 'other' } })).not.toBe(first);

    const before = await fingerprintOf({});
    writeFileSync(build, 'another version');
    expect(await fingerprintOf({})).not.toBe(before);
  });

  it('names the input of a file that cannot be read', async () => {
    const failure = await rejection(fingerprintOf({ addons: join(directory, 'missing.yaml') }));
    expect(failure).toMatchObject({ code: 'KNEST_INPUT', evidence: [expect.stringMatching(/^addons: ENOENT/)] });
  });
});
