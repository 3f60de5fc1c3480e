import { startApp } from './app.js';

const app = await startApp({ port: Number(process.env['PORT'] ?? 3000) });
console.log(`listening on ${app.url}, try ${app.url}/primes/100000`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void app.stop().then(() => console.log('stopped'));
  });
}
