import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INFRASTRUCTURES, PERSISTENT_INFRASTRUCTURES } from '../../../../src/catalog/infrastructures.ts';
import {
  engineNamed,
  engineOf,
  engineOfMachine,
  engineOfTemplate,
  ENGINES,
} from '../../../../src/cluster/engines/engines.ts';
import type { Kind } from '../../../../src/host/api/kinds.ts';
import { clusterOf, machineOf } from '../samples.ts';

it.each([
  ['VirtinkCluster', 'in-memory', 'virtink'],
  ['DevCluster', 'virtink', 'in-memory'],
  ['KubevirtCluster', 'virtink', 'kubevirt'],
  ['AWSCluster', 'virtink', 'other'],
  // A ClusterClass gives a Cluster its infrastructure only once it is there.
  [undefined, 'virtink', 'virtink'],
  [undefined, 'in-memory', 'in-memory'],
  [undefined, undefined, 'other'],
] as const)('a Cluster of %s, when %s is asked for, is followed as one of %s', (kind, asked, engine) => {
  const cluster = clusterOf({ spec: kind === undefined ? {} : { infrastructureRef: { kind } } });
  expect(engineOf(cluster, asked && engineNamed(asked)).name).toBe(engine);
});

it.each([
  ['VirtinkMachine', 'virtink'],
  ['DevMachine', 'in-memory'],
  ['KubevirtMachine', 'kubevirt'],
  ['AWSMachine', 'other'],
])('a Machine whose infrastructure is a %s is one of %s', (kind, engine) => {
  expect(engineOfMachine(machineOf('m', { spec: { infrastructureRef: { kind, name: 'm' } } })).name).toBe(engine);
  expect(engineOfTemplate({ apiVersion: 'v1', kind: `${kind}Template`, metadata: { name: 'm' } }).name).toBe(engine);
});

it('a provider by its name and version is another engine, and so is what refers to none', () => {
  expect(engineNamed({ name: 'kubevirt', version: 'v0.11.2' }).name).toBe('other');
  expect(engineNamed({ name: 'virtink', version: 'v0.7.0' }).name).toBe('other');
  expect(engineOf(undefined).name).toBe('other');
  const { spec, ...machine } = machineOf('m');
  expect(spec).toBeDefined();
  expect(engineOfMachine(machine).name).toBe('other');
});

describe('an engine', () => {
  it('is there for each infrastructure that inputs can name, with a template, and says the same about it', () => {
    const templates = resolve(import.meta.dirname, '../../../../src/cluster/template/templates');
    expect(
      globSync('*', { cwd: templates })
        .map((file) => basename(file, '.yaml'))
        .sort(),
    ).toEqual([...INFRASTRUCTURES].sort());
    for (const name of INFRASTRUCTURES) {
      const engine = engineNamed(name);
      expect([engine.name, engine.template === undefined]).toEqual([name, false]);
      expect(engine.persistence !== undefined).toBe(PERSISTENT_INFRASTRUCTURES.includes(name));
    }
    expect(ENGINES.map(({ name }) => name)).toEqual([...INFRASTRUCTURES, 'other']);
  });

  it('is the only one that names its kinds', () => {
    const src = resolve(import.meta.dirname, '../../../../src');
    const files = globSync('**/*.ts', { cwd: src }).filter((file) => !file.startsWith('cluster/engines/'));
    const naming = files.filter((file) =>
      /Kinds\.(?:virtink|kubevirt|dev[A-Z]|virtualM)/.test(readFileSync(join(src, file), 'utf8')),
    );
    expect(naming).toEqual([]);
    expect(files.length).toBeGreaterThan(100);
  });

  it('shares no kind with another', () => {
    const kinds = ENGINES.flatMap((engine) => Object.values<Kind>({ ...engine.kinds }).map(({ plural }) => plural));
    expect(new Set(kinds).size).toBe(kinds.length);
    expect(kinds.length).toBeGreaterThan(3);
  });
});
