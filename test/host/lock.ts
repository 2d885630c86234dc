import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { once } from 'node:events';

/**
 * Does `work` while no other process holds the lock `file`; waits for it as long as it takes, and calls `waiting` first
 * if it has to. The kernel holds the lock for a child, so that it ends with this process however that ends.
 */
export async function locked<T>(file: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn('flock', ['--exclusive', file, 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const notice = setTimeout(waiting, 500);
  try {
    // cat answers only once flock has the lock.
    holder.stdin.write('held\n');
    const held = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)]);
    if (!held) throw new Error(`cannot lock ${file}`);
    clearTimeout(notice);
    return await work();
  } finally {
    clearTimeout(notice);
    holder.stdin.end();
    await ended;
  }
}
