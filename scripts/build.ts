import { cpSync, rmSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { run } from '../test/host/process.ts';

const root = resolve(import.meta.dirname, '..');
// The tools are scripts for `node`, which in node_modules/.bin is the right one.
const env = { ...process.env, PATH: join(root, 'node_modules/.bin') + delimiter + (process.env['PATH'] ?? '') };

/** Builds the bundle into a directory, which holds nothing else afterwards. `cache: false` takes nothing from before. */
export async function build(directory: string, { cache }: { readonly cache: boolean }): Promise<void> {
  const scripts = join(root, 'build/js');
  for (const stale of [scripts, directory]) rmSync(stale, { recursive: true, force: true });
  await run('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, env });
  const options = ['--minify', '--license', 'licenses.txt', ...(cache ? [] : ['--no-cache'])];
  await run('ncc', ['build', join(scripts, 'index.js'), '--out', directory, ...options], { cwd: root, env });
  // The post step and tunnels start here, and have the rest from index.js.
  for (const entry of ['post.js', 'tunnel.js']) cpSync(join(scripts, entry), join(directory, entry));
  // src/cluster/template/plan.ts reads them beside the code.
  cpSync(join(root, 'src/cluster/template/templates'), join(directory, 'templates'), { recursive: true });
}

if (import.meta.main) await build(join(root, 'dist'), { cache: true });
