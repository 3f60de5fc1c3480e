import { drawing } from './dom.ts';

/** Draws numbers as bars, the latest at the right. */
export function drawSpark(canvas: HTMLCanvasElement, points: readonly number[]): void {
  const on = drawing(canvas);
  if (on === null) return;
  const { pen, width, height, color } = on;
  const step = 2;
  const count = Math.floor(width / step);
  const shown = points.slice(-count);
  const most = Math.max(1, ...shown);
  pen.fillStyle = color('run');
  for (const [at, value] of shown.entries()) {
    const tall = Math.max(value > 0 ? 1 : 0, (value / most) * (height - 1));
    pen.fillRect((count - shown.length + at) * step, height - tall, step - 0.5, tall);
  }
  pen.fillStyle = color('line');
  pen.fillRect(0, height - 1, width, 1);
}
