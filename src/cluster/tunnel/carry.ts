import type { Socket } from 'node:net';
import { firstLineOf } from '../../errors.ts';
import type { PortForward, PortForwardEvents } from '../../host/port-forward.ts';

/** Opens the far side of a connection. Rejects when it cannot be opened. */
export type OpenFarSide = (events: PortForwardEvents, signal: AbortSignal) => Promise<PortForward>;

/** Limits of a connection, in milliseconds. */
export interface CarryLimits {
  /** For which the far side may be silent once the local side sends no more. */
  readonly halfOpen: number;
  /** For which the local side may take to read what is left, and to close, once the far side has closed. */
  readonly closing: number;
}

const LIMITS: CarryLimits = { halfOpen: 30_000, closing: 60_000 };

/**
 * Joins a local connection with one to the relay, with back-pressure in both directions. The end of what the local side
 * sends is not passed on: the container runtime would end the whole connection 1 s later, with the answer in it.
 * `onProblem` is called at most once, for a connection that did not end in order: its local side is reset.
 */
export function carry(local: Socket, open: OpenFarSide, onProblem: (problem: string) => void, limits = LIMITS): void {
  const gone = new AbortController();
  let far: PortForward | undefined;
  let timer: NodeJS.Timeout | undefined;
  let hasAnswered = false;
  let isHalfOpen = false;
  const awaitFarSide = (): void => {
    clearTimeout(timer);
    if (isHalfOpen) timer = setTimeout(() => local.destroy(), limits.halfOpen);
  };
  const end = (problem: string | undefined): void => {
    clearTimeout(timer);
    if (local.destroyed) return;
    if (problem === undefined && hasAnswered) {
      local.end();
      timer = setTimeout(() => local.destroy(), limits.closing);
      return;
    }
    onProblem(problem ?? 'the host closed the connection before it sent anything');
    local.resetAndDestroy();
  };
  local.pause();
  // An error is followed by the close.
  local.on('error', () => undefined);
  local.on('close', () => {
    clearTimeout(timer);
    gone.abort();
    far?.close();
  });
  const events: PortForwardEvents = {
    onData: (chunk) => {
      hasAnswered = true;
      awaitFarSide();
      if (!local.destroyed && !local.write(chunk)) far?.pause();
    },
    onDrain: () => local.resume(),
    onEnd: end,
  };
  open(events, gone.signal).then(
    (opened) => {
      far = opened;
      if (local.destroyed) {
        opened.close();
        return;
      }
      local.on('data', (chunk: Buffer) => {
        if (!opened.send(chunk)) local.pause();
      });
      local.on('drain', () => opened.resume());
      local.on('end', () => {
        isHalfOpen = true;
        awaitFarSide();
      });
      local.resume();
    },
    (thrown: unknown) => end(firstLineOf(thrown)),
  );
}
