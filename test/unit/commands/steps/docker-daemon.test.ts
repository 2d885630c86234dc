import { expect, it } from 'vitest';
import { describeOtherDaemon } from '../../../../src/commands/steps/docker-daemon.ts';

it.each([
  [undefined, {}, 'linux', false],
  [undefined, { DOCKER_HOST: 'unix:///var/run/docker.sock' }, 'linux', false],
  ['virtual machine', {}, 'darwin', false],
  ['in a container', {}, 'linux', true],
  ['another machine', { DOCKER_HOST: 'tcp://10.0.0.1:2376' }, 'linux', false],
  ['another machine', { DOCKER_HOST: 'ssh://build' }, 'linux', false],
  ['rootless', { DOCKER_HOST: 'unix:///run/user/1000/docker.sock' }, 'linux', false],
])('a docker daemon that may have another localhost is recognized: %s', (reason, env, platform, isContainer) => {
  const text = describeOtherDaemon(env, platform, isContainer);
  if (reason === undefined) expect(text).toBeUndefined();
  else expect(text).toContain(reason);
});
