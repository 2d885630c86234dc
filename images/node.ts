import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packFiles } from './pack.ts';

/** The Kubernetes of a node, as files. */
export interface Kubernetes {
  /** Paths of kubeadm, kubelet and kubectl, by name. */
  readonly programs: ReadonlyMap<string, string>;
  /** Archives of the images that kubeadm runs: a node that has them downloads none. */
  readonly archives: readonly string[];
  /** The name of the pause image, which is one of them. */
  readonly pause: string;
}

/** The programs of Kubernetes that a node has. */
export const NODE_PROGRAMS = ['kubeadm', 'kubelet', 'kubectl'] as const;

/** Returns the pause image among those that kubeadm runs. */
export function pauseImage(images: readonly string[]): string {
  const pause = images.find((image) => /\/pause:/.test(image));
  if (pause === undefined) throw new Error(`no pause image among ${images.join(', ')}`);
  return pause;
}

/** Writes what a node has of Kubernetes to a tar archive, to be unpacked over Debian. */
export async function writeKubernetes({ programs, archives, pause }: Kubernetes, file: string): Promise<void> {
  const root = mkdtempSync(join(dirname(file), 'kubernetes-'));
  const put = (path: string, from: string, mode: number): void => {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(from, target);
    chmodSync(target, mode);
  };
  try {
    chmodSync(root, 0o755);
    for (const name of NODE_PROGRAMS) {
      const program = programs.get(name);
      if (program === undefined) throw new Error(`${name} is missing`);
      put(`usr/bin/${name}`, program, 0o755);
    }
    for (const archive of archives) put(`usr/share/node-image/${basename(archive)}`, archive, 0o644);
    // The template of Virtink's machines looks for archives here.
    mkdirSync(join(root, 'usr/share/capch/images'), { recursive: true });
    mkdirSync(join(root, 'etc/containerd'), { recursive: true });
    const config = readFileSync(join(import.meta.dirname, 'containerd.toml'), 'utf8');
    writeFileSync(join(root, 'etc/containerd/config.toml'), config.replace('@PAUSE@', pause));
    await packFiles(root, file);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
