import fc, { type Arbitrary } from 'fast-check';
import { stringify } from 'yaml';
import { clusters } from './clusters.ts';
import { extensions, mostly, some, union, type Fields, type Pki } from './fields.ts';
import { users } from './users.ts';

/** What a person gives kubectl, and the action: files, variables, and the choice of a kubeconfig and a context. */
export interface Case {
  /** By their paths below the directory that both run in. */
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly context: string | undefined;
  /** The path of the only kubeconfig that counts; undefined for the usual ones. */
  readonly kubeconfig: string | undefined;
}

const CONTEXTS = ['a', 'b'];
const CLUSTERS = ['one', 'two'];
const USERS = ['u', 'v'];

/** A kubeconfig with some of the entries that there may be. */
function kubeconfig(pki: Pki): Arbitrary<Fields> {
  const entries = (names: readonly string[], key: string, values: Arbitrary<Fields>): Arbitrary<object[]> =>
    fc
      .tuple(
        fc.oneof({ weight: 40, arbitrary: fc.constant([...names]) }, { weight: 1, arbitrary: fc.subarray([...names]) }),
        fc.array(values, { minLength: names.length, maxLength: names.length }),
      )
      .map(([chosen, all]) => chosen.map((name, at) => ({ name, [key]: all[at] })));
  const context = union(
    fc.record({
      cluster: fc.oneof(
        { weight: 40, arbitrary: fc.constantFrom(...CLUSTERS) },
        { weight: 1, arbitrary: fc.constantFrom('gone', '') },
      ),
    }),
    fc.record({
      user: fc.oneof(
        { weight: 40, arbitrary: fc.constantFrom(...USERS) },
        { weight: 1, arbitrary: fc.constantFrom('gone', '') },
      ),
    }),
    some({ namespace: fc.constant('other'), extensions }),
  );
  return union(
    fc.record({
      clusters: entries(CLUSTERS, 'cluster', clusters(pki)),
      users: entries(USERS, 'user', users(pki)),
      contexts: entries(CONTEXTS, 'context', context),
    }),
    mostly<Fields>(
      { 'current-context': 'a' },
      { 'current-context': 'b' },
      {},
      { 'current-context': '' },
      { 'current-context': 'gone' },
    ),
    mostly<Fields>({ apiVersion: 'v1', kind: 'Config' }, {}, { kind: 'List' }, { apiVersion: 'v2', kind: 'Config' }),
    some({ preferences: fc.constantFrom({}, { colors: true }), extensions }),
  );
}

function fileText(pki: Pki): Arbitrary<string> {
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .tuple(kubeconfig(pki), fc.boolean())
        .map(([fields, isJson]) => (isJson ? JSON.stringify(fields) : stringify(fields))),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '# nothing\n',
        '{}',
        '---\n',
        'clusters: null\n',
        'clusters: []\ncontexts: []\nusers: []\n',
      ),
    },
  );
}

/** The variables that count for a proxy, in either case. */
function proxies(): Arbitrary<Readonly<Record<string, string>>> {
  const proxy = mostly(
    'http://proxy.example:3128',
    '10.9.0.8:3128',
    'http://me:secret@10.9.0.8:3129',
    'socks5://10.9.0.8:1080',
    'socks5://me:p%40ss@10.9.0.8:1081',
    'http://10.9.0.99:3128',
    '',
  );
  const entry = fc.constantFrom(
    '*',
    '10.9.0.0/16',
    '10.9.0.2/32',
    '10.9.0.1',
    '10.9.0.1:6443',
    '10.9.0.1:443',
    'example',
    '.example',
    'two.example',
    '.two.example',
    '*.two.example',
    'two.example:6443',
    'x.example',
    '',
  );
  const noProxy = fc
    .array(entry, { minLength: 1, maxLength: 3 })
    .chain((all) => fc.constantFrom(all.join(','), all.join(', '), all.join(' ')));
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: union(
        some({ HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: noProxy }, 16),
        some({ HTTP_PROXY: proxy, http_proxy: proxy, no_proxy: noProxy, ALL_PROXY: proxy, all_proxy: proxy }, 4),
      ) as Arbitrary<Record<string, string>>,
    },
  );
}

/** Cases of every kind; most of them reach a server. */
export function anyCase(pki: Pki): Arbitrary<Case> {
  const list = fc.constantFrom(
    'a/one',
    'a/one:b/two',
    'b/two:a/one',
    'a/one:a/one',
    'missing:a/one',
    ':a/one:',
    'a/one:b/two:b/three',
    './a/one',
    'missing',
  );
  const KUBECONFIG = list.map((text): Record<string, string> => ({ KUBECONFIG: text }));
  const pod = { KUBERNETES_SERVICE_HOST: '10.9.0.1', KUBERNETES_SERVICE_PORT: '6443' };
  return fc
    .record({
      one: fileText(pki),
      two: fileText(pki),
      three: fileText(pki),
      usual: fc.option(fileText(pki)),
      variable: fc.oneof(
        { weight: 5, arbitrary: KUBECONFIG },
        { weight: 1, arbitrary: fc.constantFrom<Record<string, string>>({}, { KUBECONFIG: '' }) },
      ),
      proxies: proxies(),
      pod: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constant(pod) }),
      context: fc.oneof(
        { weight: 24, arbitrary: fc.constant(undefined) },
        { weight: 4, arbitrary: fc.constantFrom(...CONTEXTS) },
        { weight: 1, arbitrary: fc.constant('gone') },
      ),
      kubeconfig: fc.oneof(
        { weight: 24, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: mostly('a/one', 'b/two', 'missing') },
      ),
    })
    .map(({ one, two, three, usual, variable, proxies: chosen, pod: account, context, kubeconfig: path }) => ({
      files: { 'a/one': one, 'b/two': two, 'b/three': three, ...(usual !== null && { '.kube/config': usual }) },
      env: { ...variable, ...chosen, ...account },
      context,
      kubeconfig: path,
    }));
}
