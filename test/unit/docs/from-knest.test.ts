import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../../scripts/docs.ts';

const root = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docs/from-knest.md', root), 'utf8');
const table = text.slice(text.indexOf('<!-- knest -->'), text.indexOf('<!-- /knest -->'));
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').slice(1, -1))
  .map((cells) => cells.map((cell) => cell.trim()));
const [knest, here, tests] = [0, 1, 3].map((column) => rows.map((cells) => cells[column] ?? ''));

/** Every flag of knest v0.7.0. Source: its main.go. */
const FLAGS = [
  'kubernetes-version',
  'control-plane-machine-count',
  'worker-machine-count',
  'pod-network-cidr',
  'service-cidr',
  ...['control-plane', 'worker'].flatMap((role) =>
    ['cpu-cores', 'memory-size', 'kernel-image', 'rootfs-image', 'rootfs-size'].map(
      (what) => `${role}-machine-${what}`,
    ),
  ),
  'persistent',
  'machine-addresses',
  'host-cluster-cni',
  'from',
  'target-namespace',
  'output',
];

describe('docs/from-knest.md', () => {
  it('has a row for every command and flag of knest', () => {
    const names = (knest ?? []).join('\n');
    expect(FLAGS.filter((flag) => !new RegExp(`--${flag}[\` ]`).test(names))).toEqual([]);
    expect(['create', 'delete', 'list', 'scale', 'version'].filter((verb) => !names.includes(`knest ${verb}`))).toEqual(
      [],
    );
  });

  it('has no empty cell', () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
  });

  it('names only inputs and outputs that exist', () => {
    const { inputs, outputs } = readAction();
    const named = (here ?? []).flatMap((cell) =>
      [...cell.matchAll(/`([^`:]+)(?::[^`]*)?`/g)].map(([, name = '']) => name),
    );
    expect(named.length).toBeGreaterThan(30);
    expect([...new Set(named)].filter((name) => !(name in inputs) && !(name in outputs))).toEqual([]);
  });

  it('names only tests that exist', () => {
    const named = (tests ?? []).flatMap((cell) =>
      [...cell.matchAll(/`(test\/[^`]+)`(?:: “([^”]+)”)?/g)].map(([, file = '', name = '']) => ({ file, name })),
    );
    expect(named.length).toBeGreaterThanOrEqual(rows.length);
    const missing = named.filter(
      ({ file, name }) => !existsSync(new URL(file, root)) || !readFileSync(new URL(file, root), 'utf8').includes(name),
    );
    expect(missing).toEqual([]);
  });
});
