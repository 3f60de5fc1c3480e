import { type BaseEvent, isRecursionLimitError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Child, Deep, Family, Grandchild, Look } from '../fixtures/worker/conformance-events.ts';
import { hasControl, type Subject, type SubjectKind } from './subject.ts';

/** Children, paths, and what a tree of events looks like. */
export function treeTests(subject: () => Subject, kind: SubjectKind): void {
  test('tree - children of handlers are the same wherever the handlers ran', async () => {
    const { bus } = subject();
    const event = await bus.dispatch(new Family({}));
    expect(event.event_children.map(({ event_type }) => event_type)).toEqual(['Child', 'Child']);
    const [awaited, dropped] = event.event_children as [Child, Child];
    expect([awaited.name, dropped.name]).toEqual(['awaited', 'dropped']);
    expect([awaited.event_parent_id, dropped.event_parent_id]).toEqual([event.event_id, event.event_id]);
    expect([awaited.event_status, dropped.event_status]).toEqual(['completed', 'completed']);
    expect(await awaited.eventResult()).toBe('awaited');
    const [grandchild] = awaited.event_children;
    expect(grandchild?.event_type).toBe('Grandchild');
    expect(grandchild?.event_parent_id).toBe(awaited.event_id);
    const family = [...event.event_results.values()].find(({ handler_name }) => handler_name === 'family');
    expect(family?.event_children.map(({ event_id }) => event_id)).toEqual([awaited.event_id, dropped.event_id]);
    expect(family?.result).toBe('done');
  });

  test('tree - children started after they were made, completed after they started, and before their parent', async () => {
    const { bus } = subject();
    const before = Date.now();
    const event = await bus.dispatch(new Family({}));
    const [child] = event.event_children as [Child, Child];
    const { event_created_at, event_started_at, event_completed_at } = child;
    const times = [event_created_at, event_started_at, event_completed_at, event.event_completed_at].map((time) =>
      Date.parse(time ?? ''),
    );
    expect([before, ...times].sort((a, b) => a - b)).toEqual([before, ...times]);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
  });

  test('tree - children have the class that was registered for their type', async () => {
    const { bus, crosses } = subject();
    using _subscription = bus.on(Grandchild, () => undefined);
    const event = await bus.dispatch(new Family({}));
    const grandchild = (event.event_children[0] as BaseEvent).event_children[0];
    expect(grandchild).toBeInstanceOf(Grandchild);
    expect(event.event_children[0] instanceof Child).toBe(!crosses);
  });

  test.runIf(hasControl(kind))('tree - logTree shows events, handlers, results and children', async () => {
    const { bus, path } = subject();
    await bus.dispatch(new Family({}));
    const tree = await bus.logTree();
    expect(tree).toContain('Family#');
    expect(tree).toContain('Child#');
    expect(tree).toContain('Grandchild#');
    expect(tree).toContain(`${path.at(-1)}.family`);
  });

  test('tree - a forwarding bus here shows the tree of the handlers there', async () => {
    const { bus, home } = subject();
    using _forward = home.on(Family, bus.dispatch);
    const event = await home.dispatch(new Family({}));
    expect(event.event_path).toEqual(['Home', ...subject().path]);
    expect(event.event_children).toHaveLength(2);
    const tree = home.logTree();
    for (const text of ['Family#', 'Child#', 'Grandchild#', 'Subject.family']) expect(tree).toContain(text);
  });

  test('path - it names the buses in order, here and there', async () => {
    const { bus, path } = subject();
    const event = new Look({});
    const seen = (await bus.dispatch(event).eventResult()) as { path: string[]; busName: string };
    expect(seen.path).toEqual(path);
    expect(seen.busName).toBe('Subject');
    expect(event.event_path).toEqual(path);
  });

  test('path - buses that forward to each other end a loop: each handles the event once', async () => {
    const { bus, home, path } = subject();
    using _down = home.on(Look, bus.dispatch);
    using _up = bus.on(Look, home.dispatch);
    let handled = 0;
    using _here = home.on(Look, () => {
      handled += 1;
      return 'home';
    });
    const sent = new Look({});
    const event = await bus.dispatch(sent);
    expect(event).toBe(sent);
    expect(handled).toBe(1);
    expect([...event.event_path].sort()).toEqual(['Home', ...path].sort());
    expect(await event.eventResultsList()).toHaveLength(2);
    const fromHome = await home.dispatch(new Look({}));
    expect(handled).toBe(2);
    expect(await fromHome.eventResultsList()).toHaveLength(2);
  });

  test('path - an event that goes up is the same object that went down', async () => {
    const { bus, home } = subject();
    const sent = new Grandchild({ name: 'same' });
    let seen: BaseEvent | null = null;
    using _up = bus.on(Grandchild, home.dispatch);
    using _here = home.on(Grandchild, (event) => {
      seen = event;
    });
    await bus.dispatch(sent);
    expect(seen).toBe(sent);
  });

  test('tree - a handler that nests in itself too deep is refused, its ancestors complete', async () => {
    const event = await subject().bus.dispatch(new Deep({ left: 60 }));
    let depth = 0;
    let inner: BaseEvent = event;
    for (let child = inner.event_children[0]; child !== undefined; child = inner.event_children[0]) {
      inner = child;
      depth += 1;
    }
    expect(depth).toBeLessThan(60);
    const [failed] = [...inner.event_results.values()].filter(({ status }) => status === 'error');
    expect(isRecursionLimitError(failed?.error)).toBe(true);
    expect(event.event_status).toBe('completed');
  });
}
