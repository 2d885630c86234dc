import { describe, expect, it } from 'vitest';
import { readAction } from '../../../scripts/docs.ts';
import { problems, read, readCreate, unlikeMachines } from './given-inputs.ts';

describe('create', () => {
  it('uses the defaults of action.yml', () => {
    const machine = {
      count: 1,
      cpuCores: 2,
      memorySize: '4Gi',
      kernelImage: undefined,
      rootfsImage: undefined,
      rootfsSize: undefined,
    };
    expect(readCreate()).toMatchObject({
      command: 'create',
      name: undefined,
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      askedVersion: { kind: 'default' },
      nodeImage: undefined,
      controlPlane: machine,
      workers: machine,
      podNetworkCidr: undefined,
      serviceCidr: undefined,
      infrastructure: 'auto',
      cni: { kind: 'none' },
      waitFor: 'control-plane',
      apiAccess: 'auto',
      setKubeconfig: true,
      ephemeral: true,
      ttlSeconds: 28_800,
      downloads: { mirror: undefined, checksumPolicy: 'require' },
    });
  });

  it('keeps the inputs of the two roles apart', () => {
    const { controlPlane, workers } = readCreate(unlikeMachines);
    expect(controlPlane).toEqual({
      count: 3,
      cpuCores: 4,
      memorySize: '8Gi',
      kernelImage: 'kernel:cp',
      rootfsImage: 'rootfs:cp',
      rootfsSize: '20Gi',
    });
    expect(workers).toEqual({
      count: 0,
      cpuCores: 1,
      memorySize: '2Gi',
      kernelImage: 'kernel:worker',
      rootfsImage: 'rootfs:worker',
      rootfsSize: '10Gi',
    });
  });

  it('adds the leading v of tags to every version', () => {
    expect(readCreate({ 'cluster-api-version': '1.15.0', 'virtink-version': 'v0.15.0' }).versions).toMatchObject({
      clusterApi: 'v1.15.0',
      virtink: 'v0.15.0',
    });
  });

  it('gives an ephemeral cluster a longer ttl than the longest job on a hosted runner, 6 hours, and its post step', () => {
    expect(readCreate({}).ttlSeconds).toBeGreaterThanOrEqual(7 * 3600);
    expect(readAction().inputs['ttl']?.description).toContain('`8h`');
  });

  it('sets no ttl for a non-ephemeral cluster by default, and the given ttl for any cluster', () => {
    expect(readCreate({ ephemeral: 'false' }).ttlSeconds).toBeUndefined();
    expect(readCreate({ ephemeral: 'false', ttl: '7d' }).ttlSeconds).toBe(604_800);
    expect(readCreate({ ttl: '90m' }).ttlSeconds).toBe(5400);
  });

  it.each<[string, string, object]>([
    ['virtink-version', 'v0.17.0', { virtink: 'v0.17.0' }],
    ['virtink-provider-version', 'v0.6.0', { virtinkProvider: 'v0.6.0' }],
    ...['v1.11.0', 'v1.12.4', 'v1.13.3', 'v1.14.2', 'v1.15.9'].map((version): [string, string, object] => [
      'cluster-api-version',
      version,
      { clusterApi: version },
    ]),
  ])('accepts %s %s', (input, version, versions) => {
    expect(readCreate({ [input]: version }).versions).toMatchObject(versions);
  });

  it('removes trailing slashes from a mirror', () => {
    const { downloads } = readCreate({ mirror: 'https://mirror.example.com/github//', 'checksum-policy': 'mirror' });
    expect(downloads).toMatchObject({ mirror: 'https://mirror.example.com/github', checksumPolicy: 'mirror' });
  });
});

describe('a mirror', () => {
  it.each([
    'ftp://ci:s3cret@mirror.example.com',
    'https://ci:s3cret%40mirror.example.com',
    'https://ci:s3cret',
    'ci:s3cret',
    'https://[mirror?token=s3cret',
  ])('is not quoted when it is malformed, since it may contain a password: %s', (mirror) => {
    expect(problems({ mirror })).toEqual(['mirror: it is not an http or https URL']);
  });

  it('may not have a query, which could contain a token', () => {
    const mirror = 'https://mirror.example.com/?token=s3cret';
    expect(problems({ mirror })).toEqual(['mirror: has a query or a fragment; remove it']);
  });

  it('is split into its login and its address, which messages show', () => {
    const { downloads } = readCreate({ mirror: 'https://ci:s%40cret@mirror.example.com/github/' });
    expect(downloads).toMatchObject({ mirror: 'https://mirror.example.com/github', mirrorLogin: 'ci:s@cret' });
    // A percent sign that is not an escape.
    const plain = readCreate({ mirror: 'https://ci:100%@mirror.example.com' });
    expect(plain.downloads).toMatchObject({ mirror: 'https://mirror.example.com', mirrorLogin: 'ci:100%' });
  });

  it.each([
    ['mirror', 'https://mirror.example.com'],
    ['warn', 'https://mirror.example.com'],
    ['mirror', 'http://127.0.0.1:8080'],
    ['mirror', 'http://localhost'],
    ['mirror', 'http://[::1]:80'],
    ['require', 'http://mirror.example.com'],
  ])('is accepted with the policy %s at %s', (policy, mirror) => {
    expect(problems({ mirror, 'checksum-policy': policy })).toEqual([]);
  });

  it.each([
    ['mirror', 'http://mirror.example.com'],
    ['mirror', 'http://127.0.0.1.example.com'],
    ['warn', 'http://10.0.0.1:8080'],
  ])('is not trusted over plain http: %s, %s', (policy, mirror) => {
    expect(problems({ mirror, 'checksum-policy': policy })).toEqual([
      `checksum-policy: is ${policy}, but files from ${mirror} can be modified in transit; use https, or pass checksums-file`,
    ]);
  });
});

describe('a problem with one input', () => {
  it.each<[string, string, unknown]>([
    [
      'command',
      'destroy',
      '"destroy" is not supported; use one of create, delete, scale, upgrade, kubeconfig, list, cleanup, pool',
    ],
    [
      'name',
      'PR_17',
      '"PR_17" is not a DNS label: lower-case letters, digits and "-", starting with a letter, ending with a letter or digit; for example pr-17',
    ],
    [
      'name',
      'pr-',
      '"pr-" is not a DNS label: lower-case letters, digits and "-", starting with a letter, ending with a letter or digit; for example pr',
    ],
    [
      'name',
      '1234',
      '"1234" begins with a digit, which Kubernetes before 1.36 does not allow in the name of a Service; for example knest-1234',
    ],
    ['name', '1234'.repeat(10), expect.stringMatching(/ for example knest-(?:1234){8}12$/)],
    ['name', 'x'.repeat(41), `"${'x'.repeat(41)}" has 41 characters; at most 40`],
    ['namespace', ' ', 'is missing; for example knest'],
    ['pull-request', '#17', '"#17" is not the number of a pull request; for example 17'],
    ['pull-request', '0', '"0" is not the number of a pull request; for example 17'],
    ['timeout', '20', '"20" is not a duration; for example 90s, 20m, 4h or 1h30m'],
    ['timeout', ' ', 'is missing; for example 20m'],
    ['ttl', '0h', '"0h" is not a duration; for example 90s, 20m, 4h or 1h30m'],
    // As the runner passes on `kubernetes-version: 1.30`, `v1.30`, and `cluster-api-version: 1.0` and `1.10`.
    [
      'kubernetes-version',
      '1.3',
      `"1.3" is not a version of Kubernetes; use for example 1.34, 1.34.1 or latest; if the workflow has 1.30, it lacks quotes: YAML reads that as 1.3, so write '1.30'`,
    ],
    ['kubernetes-version', 'v1.3', '"v1.3" is not a version of Kubernetes; use for example 1.34, 1.34.1 or latest'],
    [
      'virtink-version',
      '1',
      `"1" is not a version; for example 1.0.0; if the workflow has 1.0, it lacks quotes: YAML reads that as 1, so write '1.0.0'`,
    ],
    ['cluster-api-version', '1.1', expect.stringMatching(/ has 1\.10, it lacks quotes: .* write '1\.10\.0'$/)],
    [
      'kubernetes-version',
      'newest',
      expect.stringMatching(/^"newest" is not .*; use for example 1\.34, 1\.34\.1 or latest$/),
    ],
    ['kubernetes-version', '1.34.x', expect.stringMatching(/^"1\.34\.x" is not .*; use for example 1\.34, /)],
    ['node-image', 'two words', '"two words" is not an image reference; for example quay.io/project/image:v1.0'],
    ['node-image', 'docker://quay.io/p/i:1', '"docker://quay.io/p/i:1" is not an image reference; leave out docker://'],
    [
      'cluster-api-version',
      'v1.16.0',
      'v1.16.0 no longer serves the v1beta1 contract, the newest that KubeVirt provider v0.11.2 and Virtink provider v0.7.0 can do with; use Cluster API v1.11 to v1.15',
    ],
    ['cluster-api-version', 'v1.10.4', 'v1.10.4 has no v1beta2 API; use Cluster API v1.11 to v1.15'],
    ['cluster-api-version', 'main', '"main" is not a version; for example 1.0.0'],
    ['control-plane-machine-count', '2', 'etcd needs an odd number of control-plane machines, from 1 to 9, not 2'],
    ['control-plane-machine-count', '0', '"0" is not a whole number from 1 to 9'],
    ['worker-machine-count', '-1', '"-1" is not a whole number from 0 to 1000'],
    ['worker-machine-cpu-cores', '1.5', '"1.5" is not a whole number from 1 to 256'],
    ['worker-machine-memory-size', '4GB', '"4GB" is not a valid Kubernetes quantity; use "4Gi" or "4G"'],
    ['worker-machine-memory-size', 'much', '"much" is not a valid Kubernetes quantity; for example 4Gi'],
    ['control-plane-machine-memory-size', '512Mi', '512Mi is too small for a Kubernetes node; at least 1Gi'],
    ['control-plane-machine-rootfs-size', '4', '4 is too small for a Kubernetes node; at least 1Gi'],
    [
      'control-plane-machine-rootfs-image',
      'two words',
      expect.stringMatching(/is not an image reference; for example /),
    ],
    ['pod-network-cidr', '10.95.0.0', '"10.95.0.0" is not a CIDR; for example 10.95.0.0/16'],
    ['service-cidr', '10.95.1.0/16', '"10.95.1.0/16" has host bits set; the network is 10.95.0.0/16'],
    ['wait-for', 'node', '"node" is not supported; use one of control-plane, nodes, none'],
    [
      'api-access',
      'ingress',
      '"ingress" is not supported; use one of auto, cluster-ip, node-port, load-balancer, tunnel',
    ],
    ['ephemeral', 'yes', '"yes" is not a boolean; use true or false'],
    ['keep-on-failure', 'always', '"always" is not a boolean; use true or false'],
    ['mirror', 'mirror.example.com', '"mirror.example.com" is not an http or https URL'],
    ['mirror', 'ftp://mirror.example.com', '"ftp://mirror.example.com" is not an http or https URL'],
    ['checksum-policy', 'none', '"none" is not supported; use one of require, mirror, warn'],
    ['mirror', 'http://ci:s3cret@mirror.example.com', 'has a password, which http sends in plain text; use https'],
    ['checksum-policy', 'mirror', 'is mirror, but no mirror is set'],
  ])('%s: %j', (input, text, problem) => {
    const [first, ...rest] = problems({ [input]: text });
    expect(first?.slice(input.length + 2)).toEqual(problem);
    expect(first).toMatch(new RegExp(`^${input}: `));
    // The placeholder for an unreadable value may cause a second problem, but only with the same input.
    expect(rest.filter((line) => !line.startsWith(`${input}: `))).toEqual([]);
  });

  it('includes a timeout that is too long for a timer', () => {
    for (const timeout of ['25d', '360d']) {
      expect(problems({ timeout })).toEqual(['timeout: is longer than a job can run; at most 5d']);
    }
  });

  it('is reported once: its placeholder causes no second problem', () => {
    for (const input of [
      'kubernetes-version',
      'cluster-api-version',
      'control-plane-machine-count',
      'pod-network-cidr',
    ]) {
      expect(problems({ [input]: 'x' })).toHaveLength(1);
    }
  });
});

describe('problems with several inputs', () => {
  it('are listed in one error', () => {
    const given = {
      'control-plane-machine-count': '2',
      'worker-machine-memory-size': '4GB',
      'pod-network-cidr': '10.85.0.0/16',
      'service-cidr': '10.85.7.0/24',
      'host-kubeconfig': 'text',
      'host-kubeconfig-file': 'file',
    };
    expect(problems(given)).toEqual([
      'host-kubeconfig-file: is set together with host-kubeconfig; set one of them',
      'control-plane-machine-count: etcd needs an odd number of control-plane machines, from 1 to 9, not 2',
      'worker-machine-memory-size: "4GB" is not a valid Kubernetes quantity; use "4Gi" or "4G"',
      'service-cidr: 10.85.7.0/24 overlaps pod-network-cidr (10.85.0.0/16)',
    ]);
    expect(() => read(given)).toThrow('4 inputs cannot be used; nothing was created (KNEST_INPUT)');
  });

  it('are counted', () => {
    expect(() => read({ ttl: 'x' })).toThrow('1 input cannot be used; nothing was created (KNEST_INPUT)');
  });
});
