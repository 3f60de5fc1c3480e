import type { Batch, Greeting } from '../basics/batch.ts';

/** What the page hears. */
export interface Listener {
  hello(greeting: Greeting): void;
  batch(batch: Batch): void;
  /** The page was too slow for so many changes; what follows is what there is now. */
  missed(events: number): void;
  state(state: 'live' | 'gone'): void;
}

/** Listens to the program, and again when it was away. */
export function listen(listener: Listener): void {
  const source = new EventSource('/events');
  const on = (kind: string, told: (data: unknown) => void): void => {
    source.addEventListener(kind, (event) => told(JSON.parse((event as MessageEvent<string>).data)));
  };
  on('hello', (greeting) => {
    listener.state('live');
    listener.hello(greeting as Greeting);
  });
  on('picture', (batch) => listener.batch(batch as Batch));
  on('batch', (batch) => listener.batch(batch as Batch));
  on('missed', (missed) => listener.missed((missed as { readonly events: number }).events));
  source.addEventListener('error', () => listener.state('gone'));
}
