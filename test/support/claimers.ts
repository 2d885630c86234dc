import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Annotations, repositoryLabels, type ClusterIdentity } from '../../src/cluster/identity/identity.ts';
import { claimMember } from '../../src/cluster/pool/claim-member.ts';
import { findMembers } from '../../src/cluster/pool/member.ts';
import { connectPlain } from '../../src/host/connect.ts';
import { Kinds } from '../../src/host/api/kinds.ts';

// A program: `count` claimers want a member each of the pool, all at once, each in another order, with the kubeconfig in
// `file`, while others write to the members as controllers do. Prints, for each claimer, the member that it got, or a dash.

const [file = '', namespace = '', pool = '', count = '1'] = process.argv.slice(2);
const client = connectPlain(readFileSync(file, 'utf8'), new AbortController().signal);
const repository = { server: 'github.com', repositoryId: '4711' };
const query = { pool, namespace, repository, hasCni: true, now: Date.now() };
const { members } = await findMembers(client, query);

let isOver = false;
const writers = members.map(async ({ name }, index) => {
  for (let round = 0; !isOver; round++) {
    const annotations = { 'test.example/noise': `${index}-${round}` };
    await client.patch(Kinds.cluster, name, namespace, { metadata: { annotations } });
  }
});

async function claimOne(offset: number): Promise<string> {
  for (const index of members.keys()) {
    const member = members[(index * (1 + (offset % 3)) + offset) % members.length];
    const claim = randomUUID();
    const identity: ClusterIdentity = {
      name: member?.name ?? '',
      namespace,
      isNameGenerated: false,
      ephemeral: true,
      claim,
      repository: repositoryLabels(repository),
      owner: repositoryLabels(repository),
      annotations: { [Annotations.claim]: claim, [Annotations.ephemeral]: 'true' },
      expiresAt: undefined,
      unsettled: {},
    };
    const cluster = member && (await claimMember(client, member, identity));
    if (cluster !== undefined) return `${cluster.metadata.name} ${claim}`;
  }
  return '-';
}

const results = await Promise.all(Array.from({ length: Number(count) }, (_, offset) => claimOne(offset)));
isOver = true;
await Promise.all(writers);
console.log(results.join('\n'));
