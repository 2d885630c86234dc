import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { versions } from './modules.ts';
import { run } from './process.ts';
import type { Renderer } from './renderer.ts';

/** Where and under which name cert-manager's chart is installed. */
export interface ChartRelease {
  readonly name: string;
  readonly namespace: string;
}

/** Renders cert-manager's chart with its CRDs, as `helm install` applies it. Its namespace is not part of it. */
export async function certManagerChart(renderer: Renderer, release: ChartRelease): Promise<string> {
  return renderChart(renderer, await deployDirectory(renderer), release, []);
}

/** Puts the manifest of cert-manager's release into place. */
export async function certManager(renderer: Renderer): Promise<void> {
  const deploy = await deployDirectory(renderer);
  const release = { name: 'cert-manager', namespace: 'cert-manager' };
  const rendered = await renderChart(renderer, deploy, release, ['creator=static']);
  const namespace = readFileSync(join(deploy, 'manifests/namespace.yaml'), 'utf8');
  const put = renderer.release('cert-manager/cert-manager', versions.certManager);
  put('cert-manager.yaml', `${namespace}${rendered}`);
}

/** A copy of the module's directory with the chart, which is completed as the project's own release does it. */
async function deployDirectory(renderer: Renderer): Promise<string> {
  const deploy = await renderer.copy('cert-manager', 'github.com/cert-manager/cert-manager', 'deploy');
  const chart = join(deploy, 'charts/cert-manager');
  const template = readFileSync(join(chart, 'Chart.template.yaml'), 'utf8');
  const text = template.replaceAll('v0.1.0', versions.certManager).replace('{{IS_PRERELEASE}}', 'false');
  writeFileSync(join(chart, 'Chart.yaml'), text);
  const definitions = globSync('crds/*.yaml', { cwd: deploy }).sort();
  const crds = definitions.map((file) => readFileSync(join(deploy, file), 'utf8')).join('\n---\n');
  writeFileSync(join(chart, 'templates/crds.yaml'), crds);
  return deploy;
}

async function renderChart(
  renderer: Renderer,
  deploy: string,
  { name, namespace }: ChartRelease,
  values: readonly string[],
): Promise<string> {
  const set = ['startupapicheck.enabled=false', ...values].flatMap((value) => ['--set', value]);
  const place = ['--namespace', namespace, '--kube-version', versions.kubernetes];
  const chart = join(deploy, 'charts/cert-manager');
  return run(renderer.program('helm'), ['template', ...place, ...set, name, chart]);
}
