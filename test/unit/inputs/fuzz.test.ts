import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../../scripts/docs.ts';
import { identify } from '../../../src/cluster/identity/identity.ts';
import { chooseNetworks } from '../../../src/cluster/template/networks.ts';
import { permissionsOf } from '../../../src/permissions/permissions.ts';
import { variables } from '../../../src/cluster/template/plan.ts';
import { KnestError } from '../../../src/errors.ts';
import { connect } from '../../../src/host/connect.ts';
import { choiceOn, COMMANDS, type CreateInputs } from '../../../src/inputs.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import { readJob } from '../../../src/github/job.ts';
import { read } from './given-inputs.ts';
import { quietRuntime } from '../host/server.ts';
import { cidr } from '../cluster/samples.ts';

const { inputs } = readAction();

/** Examples of everything that some input accepts, or nearly accepts, or that has broken a parser before. */
const usual = [
  ...['0', '1', '2', '3', '-1', '1.5', '1e3', '0x10', '١', '999999999999', 'NaN', '1 000'],
  ...['true', 'TRUE', 'yes', 'null', 'undefined', '[]', '{}', '[object Object]'],
  ...['20m', '1h30m', '4h', '0s', '1s1s', '9999999d', '1h 30m', '-5m', 'P1D'],
  ...['4Gi', '4GB', '512M', '1e9', '1.5Gi', '.5Gi', '4 Gi', '999999999999Pi'],
  ...['1.36.3', 'v1.14.2', '1.36', 'v1.2.3-rc.1+b', '1.36.3-', '1.36.x', 'latest', '99999.0.0'],
  ...[
    '10.95.0.0/16',
    '10.95.0.1/16',
    '10.95.0.0/33',
    '0.0.0.0/0',
    '010.1.0.0/16',
    '1.2/16',
    '::/0',
    'fd00::/108',
    '::ffff:10.0.0.0/104',
  ],
  ...['a', 'pr-1234', 'A', '-a', 'a-', 'a.b', 'a_b', 'a'.repeat(40), 'a'.repeat(41), 'ab'.repeat(200)],
  ...['3:2', ':2', '3:', ':', '2:1', '3:2:1', '::'],
  ...[
    'https://mirror.example.com',
    'https://[::1',
    'http://',
    'ftp://example.com',
    'https://user:pass@example.com/a//',
  ],
  ...['registry.example.com:5000/a/b:tag', `a@sha256:${'0'.repeat(64)}`, 'a b', "a'b", '${HOME}', '$(id)', '`id`'],
  ...[
    '',
    ' ',
    '\t',
    '\n',
    'a\nb',
    '\u0000',
    '\u2028',
    '::error::x',
    '##[error]x',
    '💥',
    '\ud800',
    '__proto__',
    'constructor',
  ],
  ...['apiVersion: v1', '{"clusters": 1}', '- a\n- b', '&a [*a]', '!!js/function x', 'a: b: c', '%', '"'],
];

/** The words that the description of an input quotes, most of which it accepts. */
function quoted(description: string): readonly string[] {
  return [...description.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

/** Values for an input: usually one that it accepts, then one for another input, then rubbish. */
function valueOf(name: string): fc.Arbitrary<string> {
  const { default: preset = '', description = '' } = inputs[name] ?? {};
  const own = fc.constantFrom(preset, ...quoted(description));
  const spoilt = fc
    .tuple(own, fc.nat(), fc.constantFrom('', ' ', '-', '0', 'é', '\n', ':', '/', "'"))
    .map(
      ([text, at, other]) => text.slice(0, at % (text.length + 1)) + other + text.slice((at % (text.length + 1)) + 1),
    );
  return fc.oneof({ weight: 4, arbitrary: own }, fc.constantFrom(...usual), spoilt, fc.string({ unit: 'binary' }));
}

/** Some inputs are set, and the rest have the defaults of action.yml. */
const inputSets = fc
  .uniqueArray(fc.oneof(...Object.keys(inputs).map((name) => fc.tuple(fc.constant(name), valueOf(name)))), {
    selector: ([name]) => name,
    maxLength: 5,
  })
  .chain((pairs) =>
    // Otherwise every command but create would lack something most of the time.
    fc
      .record({
        command: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...COMMANDS) }, fc.constantFrom(...usual)),
        // A pool has no name, and create takes one of the two.
        which: fc.constantFrom({ name: 'pr-7' }, { pool: 'small' }, {}),
        replicas: fc.constantFrom('3:2', ''),
        'kubernetes-version': fc.constantFrom('1.34.1', ''),
      })
      .map(({ which, command, ...common }) => {
        const what = command === 'pool' ? { pool: 'small' } : which;
        return { command, ...what, ...common, ...Object.fromEntries(pairs) };
      }),
  );

const ranges = fc.array(fc.constantFrom('10.244.0.0/16', '192.168.0.0/16', '10.96.0.0/12', '0.0.0.0/0', 'fd00::/48'));
const hosts = fc.record({ pods: ranges, services: ranges });
const texts = fc.oneof(fc.constantFrom(...usual), fc.string());
/** The variables with which GitHub, act, or another runner of the action describes a job. */
const jobs = fc.record(
  {
    GITHUB_SERVER_URL: fc.constantFrom('https://github.com', 'https://ghe.example.com:8443'),
    GITHUB_REPOSITORY: texts,
    GITHUB_REPOSITORY_ID: fc.nat().map(String),
    GITHUB_RUN_ID: fc.nat().map(String),
    GITHUB_JOB: texts,
    GITHUB_ACTION: texts,
    GITHUB_REF: texts,
  },
  // Without an owner, there is no plan.
  { requiredKeys: ['GITHUB_REPOSITORY_ID'] },
);

/** Kubeconfigs with a missing field, or a field of another type. */
const nearKubeconfigs = fc
  .record(
    {
      'current-context': fc.constantFrom('c', 'd', '', null, 7),
      clusters: fc.constantFrom(
        [{ name: 'c', cluster: { server: 'https://10.0.0.1' } }],
        [{ name: 'c', cluster: { server: 'no' } }],
        [{ name: 'c' }],
        [null],
        {},
        'x',
      ),
      users: fc.constantFrom(
        [{ name: 'c', user: { token: 't' } }],
        [{ name: 'c' }],
        [{ name: 'c', user: null }],
        [null],
        7,
      ),
      contexts: fc.constantFrom(
        [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
        [{ name: 'c', context: {} }],
        [{}],
        null,
      ),
    },
    { requiredKeys: [] },
  )
  .map((kubeconfig) => JSON.stringify(kubeconfig));

interface Surroundings {
  readonly host: { readonly pods: readonly string[]; readonly services: readonly string[] };
  readonly job: NodeJS.ProcessEnv;
}

/** Everything that create decides before its first write must be valid for Kubernetes and the template. */
function expectPlan(asked: CreateInputs, { host, job }: Surroundings): void {
  const choice = choiceOn(asked.infrastructure === 'auto' ? 'virtink' : asked.infrastructure, asked);
  // What the host serves may not go with the inputs; nothing is created then.
  if ('problems' in choice) {
    expect(asked.infrastructure).toBe('auto');
    return;
  }
  const create = { ...asked, ...choice };
  const assumed = { pods: [], services: [] };
  const used = { pods: host.pods.map(cidr), services: host.services.map(cidr), nodes: [], assumed };
  const networks = chooseNetworks(create, used);
  const { name, owner, expiresAt } = identify(create, readJob(job), Date.now());
  // It becomes the name of a Service.
  expect(name).toMatch(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/);
  for (const label of Object.values(owner)) expect(label).toMatch(/^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/);
  if (expiresAt !== undefined) expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
  // The template uses them between single quotes, or bare.
  for (const value of Object.values(variables(create, networks))) expect(value).toMatch(/^[\w.:/@+-]+$/);
  for (const { version } of requiredComponents(create.versions, create.infrastructure, create.persistent))
    expect(version).toMatch(/^v\d/);
  expect(permissionsOf('create', create.namespace).length).toBeGreaterThan(0);
}

/** The result of a set of inputs: its command, or its refusal. Any other error is a defect. */
function outcomeOf(given: Readonly<Record<string, string>>, surroundings: Surroundings): string {
  try {
    const planned = read(given);
    expect(planned.timeoutSeconds).toBeGreaterThan(0);
    if (planned.command === 'create') expectPlan(planned, surroundings);
    if (planned.command === 'pool') expectPlan(planned.member, surroundings);
    return planned.command;
  } catch (thrown) {
    if (!(thrown instanceof KnestError && thrown.code === 'KNEST_INPUT')) throw thrown;
    expect(thrown.evidence.length).toBeGreaterThan(0);
    return thrown.code;
  }
}

describe('any inputs', { timeout: 60_000 }, () => {
  it('result in a plan, or in one KNEST_INPUT that names the problems', () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(inputSets, fc.record({ host: hosts, job: jobs }), (given, surroundings) => {
        const outcome = outcomeOf(given, surroundings);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }),
      { numRuns: 10_000 },
    );
    // Each of the two results must occur, or the test would prove nothing.

    for (const outcome of [...COMMANDS, 'KNEST_INPUT']) expect(outcomes.get(outcome), outcome).toBeGreaterThan(50);
  });
});

describe('any text for a kubeconfig', { timeout: 60_000 }, () => {
  it('is accepted, or refused with KNEST_HOST_CONFIG', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.json(), nearKubeconfigs), (kubeconfig) => {
        try {
          connect({ kubeconfig, kubeconfigFile: undefined, context: undefined }, quietRuntime());
        } catch (thrown) {
          if (!(thrown instanceof KnestError && thrown.code === 'KNEST_HOST_CONFIG')) throw thrown;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
