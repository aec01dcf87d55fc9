import { expect, test } from "vitest";
import { bars, isAmr, isSound, peaks, wav } from "@/lib/sound";

test("the shape is as loud as the sound, and silence is flat", () => {
  const loud = Float32Array.from({ length: 400 }, (_, i) => (i < 200 ? 0.1 : -0.5));
  expect(peaks(loud, 4).map((v) => Number(v.toFixed(2)))).toEqual([0.2, 0.2, 1, 1]);
  expect(peaks(new Float32Array(100), 4)).toEqual([0, 0, 0, 0]);
  expect(peaks(new Float32Array(0), 3)).toEqual([0, 0, 0]);
  expect(peaks(Float32Array.from([1, 0.5]), 4)).toHaveLength(4);
});

test("every piece of the shape is a bar inside its box", () => {
  const path = bars([0, 0.5, 1], 20);
  expect(path.match(/M/g)).toHaveLength(3);
  for (const y of path.matchAll(/[ V](\d+\.\d)/g)) expect(Number(y[1])).toBeGreaterThanOrEqual(0);
  for (const y of path.matchAll(/V(\d+\.\d)/g)) expect(Number(y[1])).toBeLessThanOrEqual(20);
});

test("a WAV file has its head and clips what is too loud", () => {
  const file = new DataView(wav(Float32Array.from([0, 1, -1, 2]), 8000));
  const word = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => file.getUint8(at + i)));
  expect([word(0), word(8), word(36)]).toEqual(["RIFF", "WAVE", "data"]);
  expect(file.byteLength).toBe(44 + 8);
  expect(file.getUint32(4, true)).toBe(file.byteLength - 8);
  expect(file.getUint32(24, true)).toBe(8000);
  expect([0, 1, 2, 3].map((i) => file.getInt16(44 + i * 2, true))).toEqual([0, 32767, -32767, 32767]);
});

test("WeChat's voice is known by type or name, and MP3 is not taken for it", () => {
  expect([isAmr("audio/amr"), isAmr("audio/AMR-NB"), isAmr("application/octet-stream", "voice.amr")]).toEqual([
    true,
    true,
    true,
  ]);
  expect([isAmr("audio/mpeg", "x.amr"), isAmr("audio/wav"), isAmr("audio/amr-wb")]).toEqual([false, false, false]);
  expect([isSound("audio/ogg"), isSound("application/octet-stream", "a.wav"), isSound("image/png", "a.png")]).toEqual([
    true,
    true,
    false,
  ]);
});
