// Runs in a pool thread: every fourth pixel of every fourth row, each the mean of its sixteen.
export default function scale({ pixels, width }: { pixels: Uint8Array; width: number }): Uint8Array {
  const [small, height] = [width / 4, pixels.length / width / 4];
  const thumbnail = new Uint8Array(small * height);
  for (let at = 0; at < thumbnail.length; at += 1) {
    const [x, y] = [(at % small) * 4, Math.floor(at / small) * 4];
    let sum = 0;
    for (let i = 0; i < 16; i += 1) sum += pixels[(y + (i >> 2)) * width + x + (i & 3)] ?? 0;
    thumbnail[at] = sum / 16;
  }
  return thumbnail;
}
