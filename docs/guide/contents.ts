/** The pages of the guide, in the order in which they are read. A page's file has its name; the site and its check use this. */
export interface GuideChapter {
  readonly title: string;
  readonly pages: readonly { readonly name: string; readonly text: string }[];
}

export const guide: readonly GuideChapter[] = [
  {
    title: 'Start',
    pages: [
      { name: 'index', text: 'What it is for' },
      { name: 'typescript', text: 'TypeScript and bundlers' },
      { name: 'guarantees', text: 'What you can rely on' },
      { name: 'choosing', text: 'Which one to take' },
    ],
  },
  {
    title: 'Events',
    pages: [
      { name: 'events', text: 'Events and buses' },
      { name: 'handlers', text: 'Handlers' },
      { name: 'results', text: 'Results' },
      { name: 'errors', text: 'Errors and timeouts' },
      { name: 'cancelling', text: 'Cancelling' },
      { name: 'forwarding', text: 'Forwarding' },
      { name: 'waiting', text: 'Waiting for events' },
      { name: 'history', text: 'History, limits, back-pressure' },
      { name: 'log', text: 'The log' },
      { name: 'context', text: 'Context' },
    ],
  },
  {
    title: 'Threads, processes, machines',
    pages: [
      { name: 'threads', text: 'Threads' },
      { name: 'pools', text: 'Pools' },
      { name: 'groups', text: 'Groups' },
      { name: 'processes', text: 'Processes' },
      { name: 'machines', text: 'Machines' },
    ],
  },
  {
    title: 'Limits',
    pages: [
      { name: 'retry', text: 'Retry' },
      { name: 'semaphores', text: 'Semaphores' },
    ],
  },
  {
    title: 'Running it',
    pages: [
      { name: 'testing', text: 'Testing' },
      { name: 'production', text: 'Production' },
      { name: 'observing', text: 'Observing' },
      { name: 'inspector', text: 'The inspector' },
      { name: 'metrics', text: 'Metrics and alerts' },
      { name: 'stuck', text: 'When something is stuck' },
    ],
  },
  {
    title: 'More',
    pages: [
      { name: 'options', text: 'Options and errors' },
      { name: 'benchmarks', text: 'Benchmarks' },
      { name: 'from-bubus', text: 'Coming from bubus' },
      { name: 'from-abxbus', text: 'Coming from abxbus' },
      { name: 'from-piscina', text: 'Coming from piscina' },
      { name: 'from-bullmq', text: 'Coming from BullMQ' },
      { name: 'faq', text: 'FAQ' },
    ],
  },
];
