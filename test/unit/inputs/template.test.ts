import { describe, expect, it } from 'vitest';
import { problems, readCreate } from './given-inputs.ts';

const sum = 'ab'.repeat(32);

describe('infrastructure', () => {
  it.each([
    ['virtink', 'virtink'],
    ['kubevirt', 'kubevirt'],
    ['auto', 'auto'],
    ['in-memory', 'in-memory'],
    ['docker', 'in-memory'],
  ])('may be %s, with a template of the action', (text, infrastructure) => {
    expect(readCreate({ infrastructure: text })).toMatchObject({ infrastructure, clusterTemplate: undefined });
  });

  it.each([
    ['openstack:v0.14.5', { name: 'openstack', version: 'v0.14.5' }],
    ['docker:1.14.2', { name: 'docker', version: 'v1.14.2' }],
    ['kubevirt:v0.11.2', { name: 'kubevirt', version: 'v0.11.2' }],
  ])('may be %s, with a template of the user', (text, infrastructure) => {
    expect(readCreate({ infrastructure: text, 'cluster-template': 't.yaml' })).toMatchObject({ infrastructure });
  });

  it.each([
    ['openstack', /^infrastructure: "openstack" has no version; for example openstack:v1\.0\.0$/],
    ['openstack:latest', /^infrastructure: "openstack:latest" has no version/],
    [
      'qemu:v1.0.0',
      /^infrastructure: "qemu:v1\.0\.0" is not supported; use auto, virtink, kubevirt, in-memory or one of aws, azure,/,
    ],
    [
      'virtink:v0.7.0',
      /^infrastructure: "virtink:v0\.7\.0": use virtink, and set its version with virtink-provider-version$/,
    ],
    [' ', /^infrastructure: is missing; auto, virtink, kubevirt, in-memory or NAME:vX\.Y\.Z/],
  ])('is refused as %s', (infrastructure, problem) => {
    expect(problems({ infrastructure, 'cluster-template': 't.yaml' })).toEqual([expect.stringMatching(problem)]);
  });

  it('requires a template when the action has none', () => {
    expect(problems({ infrastructure: 'openstack:v0.14.5' })).toEqual([
      'cluster-template: is missing; infrastructure openstack:v0.14.5 needs one, for example its own',
    ]);
    expect(problems({ infrastructure: 'kubevirt:v0.11.2' })).toEqual([
      expect.stringMatching(/ needs one, .*; without one, use kubevirt, and set .* kubevirt-provider-version$/),
    ]);
  });
});

describe('cluster-template', () => {
  it.each([
    ['templates/mine.yaml', { kind: 'file', path: 'templates/mine.yaml' }],
    ['C:\\templates\\mine.yaml', { kind: 'file', path: 'C:\\templates\\mine.yaml' }],
    [`https://example.com/t.yaml#sha256=${sum}`, { kind: 'url', url: 'https://example.com/t.yaml', sha256: sum }],
    ['configmap:knest/small.cluster', { kind: 'config-map', namespace: 'knest', name: 'small.cluster' }],
  ])('accepts %s', (text, source) => {
    expect(readCreate({ 'cluster-template': text }).clusterTemplate).toEqual(source);
  });

  it.each([
    ['https://example.com/t.yaml', /has no checksum; append #sha256= and its checksum/],
    ['configmap:small', /"configmap:small" is not configmap:NAMESPACE\/NAME$/],
    ['configmap:Knest/small', /"configmap:Knest\/small" is not configmap:NAMESPACE\/NAME$/],
  ])('refuses %s', (text, problem) => {
    const found = problems({ 'cluster-template': text });
    expect(found).toEqual([expect.stringMatching(problem)]);
    expect(found[0]).toMatch(/^cluster-template: /);
  });
});
