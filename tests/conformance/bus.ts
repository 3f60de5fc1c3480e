import { afterAll, beforeAll, describe } from 'vitest';
import { awaitingTests } from './awaiting.ts';
import { cancellingTests } from './cancelling.ts';
import { crossingTests } from './crossing.ts';
import { endingTests } from './ending.ts';
import { errorTests } from './errors.ts';
import { listeningTests } from './listening.ts';
import { resultTests } from './results.ts';
import { startSubject, type Subject, type SubjectKind } from './subject.ts';
import { treeTests } from './trees.ts';

/**
 * What every bus does, wherever it lives. The same tests run against all kinds; where they differ, the test says so by
 * `subject().crosses`, and why:
 *
 * - values are copies, and must be cloneable, when they cross a thread: there is no other way to get them there;
 * - an error that no class was registered for arrives as the nearest class that is known here;
 * - handlers of this thread that are registered on a bus in another don't hold its slot: the thread isn't theirs to block;
 * - a signal's abort reaches a handler in another thread as soon as its message is read, not at once;
 * - a bus on the way adds its own forward to the results and its name to the path;
 * - a link alone carries events, and nothing else: `hasControl`.
 */
export function conformance(kind: SubjectKind): void {
  describe(`bus in the ${kind}`, () => {
    let started: Subject | null = null;
    const subject = (): Subject => started as Subject;
    beforeAll(async () => {
      started = await startSubject(kind);
    });
    afterAll(() => started?.[Symbol.asyncDispose]());
    resultTests(subject);
    errorTests(subject);
    treeTests(subject, kind);
    awaitingTests(subject);
    listeningTests(subject);
    crossingTests(subject);
    endingTests(subject, kind);
    cancellingTests(subject);
  });
}
