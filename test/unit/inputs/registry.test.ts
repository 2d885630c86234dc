import { describe, expect, it } from 'vitest';
import { REGISTRY_IMAGE } from '../../../src/catalog/registry-image.ts';
import { problems, readCreate } from './given-inputs.ts';

describe('the registry', () => {
  it('is none by default, and has the official image, port 5000 and 10Gi when it is asked for', () => {
    expect(readCreate().registry).toBeUndefined();
    expect(readCreate({ registry: 'true' }).registry).toEqual({ port: 5000, image: REGISTRY_IMAGE, size: '10Gi' });
    const given = {
      registry: 'true',
      'registry-port': '0',
      'registry-image': 'registry:2.8.3',
      'registry-size': '512Mi',
    };
    expect(readCreate(given).registry).toEqual({ port: 0, image: 'registry:2.8.3', size: '512Mi' });
  });

  it('has a port and a size that can be', () => {
    expect(problems({ registry: 'true', 'registry-port': '70000', 'registry-size': '1Mi' })).toEqual([
      'registry-port: "70000" is not a whole number from 0 to 65535',
      'registry-size: 1Mi is too small for a registry; at least 64Mi',
    ]);
  });
});
