import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { goEnvironment } from './binaries.ts';
import type { Programs } from './image-entries.ts';
import { moduleDirectory } from './modules.ts';
import { run } from './process.ts';

/** Renders the assets of releases below `root`, as `OWNER/REPOSITORY/releases/download/TAG/ASSET`. */
export class Renderer {
  readonly root: string;
  readonly work: string;
  readonly programs: Programs;

  constructor(root: string, programs: Programs) {
    this.root = root;
    this.work = join(root, '.work');
    this.programs = programs;
  }

  /** Makes the directory of a release. Returns what writes an asset into it. */
  release(repository: string, tag: string): (asset: string, content: string) => void {
    const directory = join(this.root, repository, 'releases', 'download', tag);
    mkdirSync(directory, { recursive: true });
    return (asset, content) => writeFileSync(join(directory, asset), content);
  }

  /** Puts a copy of a file where a repository has it at a tag: `OWNER/REPOSITORY/raw/TAG/PATH`. */
  file(repository: string, tag: string, path: string, copy: string): void {
    const target = join(this.root, repository, 'raw', tag, path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(copy, target);
  }

  /** Copies a directory out of the module cache, which is read-only, and returns the copy. */
  async copy(module: string, path: string, directory: string): Promise<string> {
    const env = goEnvironment();
    // Programs may come from the cache while the module is not on this machine any more.
    const download = ['mod', 'download', '-json', path];
    const answer = await run('go', download, { cwd: moduleDirectory(module), env });
    const { Dir: source } = JSON.parse(answer) as { Dir: string };
    const copy = join(this.work, module, path, directory);
    cpSync(join(source, directory), copy, { recursive: true });
    await run('chmod', ['-R', 'u+w', copy]);
    return copy;
  }

  /** Renders a kustomization as a project's release does: with its images by name and tag, pulled if not present. */
  async kustomize(directory: string, images: Record<string, string>): Promise<string> {
    let text = await run(this.program('kubectl'), ['kustomize', directory]);
    for (const [name, reference] of Object.entries(images)) {
      const from = `image: ${name}`;
      if (!text.includes(from)) throw new Error(`${directory} has no image ${name}`);
      text = text.replaceAll(from, `image: ${reference}`);
    }
    return text.replaceAll('imagePullPolicy: Always', 'imagePullPolicy: IfNotPresent');
  }

  /** Returns the path of a program. Throws when it is not built. */
  program(name: string): string {
    const path = this.programs.get(name);
    if (path === undefined) throw new Error(`${name} is not built`);
    return path;
  }
}
