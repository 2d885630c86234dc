import { describe, expect, it } from 'vitest';
import { checkDefaultStorageClass } from '../../../src/host/storage-class.ts';
import { clientOf, json, refuse } from './server.ts';

const storageClass = (name: string, isDefault?: string): object => ({
  metadata: {
    name,
    ...(isDefault !== undefined && { annotations: { 'storageclass.kubernetes.io/is-default-class': isDefault } }),
  },
  provisioner: `${name}.example.com`,
});
const check = async (...items: readonly object[]): Promise<void> => {
  const { client } = await clientOf((response) => json(response, { items }));
  return checkDefaultStorageClass(client);
};

describe('checkDefaultStorageClass', () => {
  it('accepts a default StorageClass', async () => {
    await expect(check(storageClass('slow'), storageClass('fast', 'true'))).resolves.toBeUndefined();
  });

  it('lists the StorageClasses, with the command that makes one the default', async () => {
    await expect(check(storageClass('slow'), storageClass('fast', 'false'))).rejects.toMatchObject({
      code: 'KNEST_STORAGE_CLASS',
      evidence: [
        'StorageClass slow (slow.example.com) is not the default',
        'StorageClass fast (fast.example.com) is not the default',
      ],
      next: `make one the default, for example: kubectl patch storageclass slow -p '{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}'`,
    });
  });

  it('gives advice when there is no StorageClass', async () => {
    await expect(check()).rejects.toMatchObject({
      code: 'KNEST_STORAGE_CLASS',
      evidence: [],
      next: 'install a storage provisioner on the host, with a StorageClass that is the default',
    });
  });

  it('succeeds when it may not list them', async () => {
    const { client } = await clientOf((response) => refuse(response, 403));
    await expect(checkDefaultStorageClass(client)).resolves.toBeUndefined();
  });
});
