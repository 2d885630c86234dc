import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { down, find, status, up } from './host.ts';
import { parts, type Part } from './modules.ts';
import { lineReport, seconds } from './report.ts';

const usage = `usage: npm run host:up     [-- --name NAME] [--no-PART...]       make a host cluster (PART: ${parts.join(', ')})
       npm run host:status [-- --name NAME]                    is it well? (exit code 0: yes)
       npm run host:exec   -- [--name NAME] -- COMMAND...      run a command in its network, as its admin
       npm run host:down   [-- --name NAME]                    remove all of it`;

/** A mistake in the command line. */
class UsageError extends Error {}

const print = (text: string): void => void process.stderr.write(`${text}\n`);

async function hostUp(name: string, without: readonly Part[]): Promise<number> {
  const began = performance.now();
  const host = await up({ name, without }, lineReport());
  const option = name === 'default' ? '' : `--name ${name} `;
  print(`✔ ${name} is ready in ${seconds(began)}
  its kubeconfig   ${host.kubeconfig} (its server is in the host's network)
  use it           npm run host:exec -- ${option}-- kubectl get pods -A
  with the action  host-kubeconfig-file: ${host.kubeconfig}
                   mirror: ${host.mirror}
                   checksums-file: ${host.checksums}
  see the action   npm run demo
  remove it        npm run host:down${option && ` -- ${option.trimEnd()}`}`);
  return 0;
}

async function hostDown(name: string): Promise<number> {
  const began = performance.now();
  const { processes, cgroups, files } = await down(name, lineReport());
  const parts = [
    ...(processes > 0 ? [`${processes} processes with their mounts and network`] : []),
    ...(cgroups > 0 ? [`${cgroups} cgroups`] : []),
    ...(files ? [files] : []),
  ];
  print(
    parts.length > 0 ? `✔ ${name} is gone in ${seconds(began)}: ${parts.join(', ')}` : `✔ there is no host ${name}`,
  );
  return 0;
}

async function hostStatus(name: string): Promise<number> {
  const { state, host, unwell } = await status(name);
  const texts = {
    well: `${name} is well${host?.shortcomings ?? ''}`,
    unwell: `${name} is not well: ${unwell.join(', ')}; "up" makes it anew`,
    incomplete: `${name} does not run, but something is left of it: "up" makes it anew, "down" removes the rest`,
    absent: `there is no host ${name}`,
  };
  process.stdout.write(`${texts[state]}\n`);
  return state === 'well' ? 0 : 1;
}

async function hostExec(name: string, argv: readonly string[]): Promise<number> {
  if (argv.length === 0) throw new UsageError('exec needs a command after "--"');
  const host = find(name);
  if (!host) throw new Error(`there is no host ${name} that is up`);
  const { command, args } = host.command(argv);
  const child = spawn(command, args, { stdio: 'inherit', env: host.environment });
  // A terminal sends these to the command as well: it decides what they mean. Others are sent to this process alone.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject).on('exit', (...end) => resolve(end));
  });
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

async function main(argv: string[]): Promise<number> {
  const end = argv.indexOf('--');
  const [own, command] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end + 1)];
  const flags = Object.fromEntries(parts.map((part) => [`no-${part}`, { type: 'boolean' as const }]));
  const { values, positionals } = parseArgs({
    args: own,
    options: { ...flags, name: { type: 'string', default: 'default' } },
    allowPositionals: true,
  });
  const { name } = values;
  const without = parts.filter((part) => Object.hasOwn(values, `no-${part}`));
  const [verb, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`"${rest.join(' ')}" is not understood`);
  if (verb !== 'exec' && command.length > 0) throw new UsageError('only exec takes a command');
  if (verb !== 'up' && without[0]) throw new UsageError(`only up takes --no-${without[0]}`);
  switch (verb) {
    case 'up':
      return hostUp(name, without);
    case 'down':
      return hostDown(name);
    case 'status':
      return hostStatus(name);
    case 'exec':
      return hostExec(name, command);
    default:
      throw new UsageError(verb === undefined ? 'what is to be done?' : `there is no command "${verb}"`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  print(`✖ ${error instanceof Error ? error.message : String(error)}${known ? `\n${usage}` : ''}`);
  process.exitCode = known ? 2 : 1;
}
