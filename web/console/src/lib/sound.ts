// Sound files for the player: what kind they are, their shape for the waveform, and a form the browser can play.

export const isSound = (type: string, name = ""): boolean =>
  /^audio\//.test(type) || /\.(amr|mp3|wav|m4a|ogg|opus)$/i.test(name);

/** Narrow-band AMR, as WeChat's voice messages: no browser plays it by itself. */
export const isAmr = (type: string, name = ""): boolean =>
  /^audio\/(x-)?(amr|amr-nb|3gpp)$/i.test(type) || (/\.amr$/i.test(name) && !/^audio\/(mpeg|wav|ogg)/.test(type));

/** The loudest sample of each of n equal pieces, scaled so that the loudest of all is 1. Silence stays flat. */
export function peaks(samples: Float32Array, n: number): number[] {
  const out: number[] = [];
  const step = samples.length / n;
  for (let i = 0; i < n; i++) {
    const from = Math.floor(i * step);
    const to = Math.max(from + 1, Math.floor((i + 1) * step));
    let top = 0;
    for (let k = from; k < to && k < samples.length; k++) {
      const v = Math.abs(samples[k] as number);
      if (v > top) top = v;
    }
    out.push(top);
  }
  const most = Math.max(...out, 0);
  return most > 0.001 ? out.map((v) => v / most) : out.map(() => 0);
}

/** One SVG path of n upright bars in a box of n × height, mirrored at the middle; at least a hair high. */
export function bars(shape: number[], height: number): string {
  const middle = height / 2;
  return shape
    .map((v, i) => {
      const half = Math.max(0.75, v * (middle - 1));
      return `M${(i + 0.5).toFixed(1)} ${(middle - half).toFixed(1)}V${(middle + half).toFixed(1)}`;
    })
    .join("");
}

/** A WAV file (RIFF, 16-bit PCM, one channel) of samples from -1 to 1. */
export function wav(samples: Float32Array, rate: number): ArrayBuffer {
  const out = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const word = (at: number, s: string) => [...s].forEach((c, i) => void out.setUint8(at + i, c.charCodeAt(0)));
  word(0, "RIFF");
  out.setUint32(4, 36 + samples.length * 2, true);
  word(8, "WAVEfmt ");
  out.setUint32(16, 16, true);
  out.setUint16(20, 1, true); // PCM
  out.setUint16(22, 1, true); // one channel
  out.setUint32(24, rate, true);
  out.setUint32(28, rate * 2, true);
  out.setUint16(32, 2, true);
  out.setUint16(34, 16, true);
  word(36, "data");
  out.setUint32(40, samples.length * 2, true);
  for (let i = 0; i < samples.length; i++) {
    const v = Math.max(-1, Math.min(1, samples[i] as number));
    out.setInt16(44 + i * 2, Math.round(v * 32767), true);
  }
  return out.buffer as ArrayBuffer;
}

export interface Sound {
  shape: number[]; // 0 to 1 each
  seconds: number;
  src?: string; // an object URL to play instead of the file's own; revoke it
}

const AMR_RATE = 8_000;
const MOST = 40 << 20; // bytes; a longer recording is played without its shape

async function bytes(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.arrayBuffer();
}

/** Decodes AMR beside the page: half a second of work for a minute of speech would be felt in it. */
export function decodeAmr(data: ArrayBuffer): Promise<Float32Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./amr.worker.ts", import.meta.url));
    const end = (f: () => void) => {
      worker.terminate();
      f();
    };
    worker.onmessage = (e: MessageEvent<{ amr: Float32Array | null }>) => {
      const pcm = e.data.amr;
      end(() => (pcm?.length ? resolve(pcm) : reject(new Error("not AMR"))));
    };
    worker.onerror = () => end(() => reject(new Error("AMR decoder failed")));
    worker.postMessage({ command: "decode", buffer: new Uint8Array(data) });
  });
}

/** Loads a file and finds its shape. Throws when the browser cannot read it. */
export async function loadSound(
  file: { url: string; type: string; name: string; size: number },
  n: number,
): Promise<Sound> {
  if (isAmr(file.type, file.name)) {
    const pcm = await decodeAmr(await bytes(file.url));
    const src = URL.createObjectURL(new Blob([wav(pcm, AMR_RATE)], { type: "audio/wav" }));
    return { shape: peaks(pcm, n), seconds: pcm.length / AMR_RATE, src };
  }
  if (file.size > MOST) return { shape: [], seconds: 0 };
  // An off-line context needs no click and brings everything down to telephone quality, which is all a picture needs.
  const audio = await new OfflineAudioContext(1, 1, 8_000).decodeAudioData(await bytes(file.url));
  return { shape: peaks(audio.getChannelData(0), n), seconds: audio.duration };
}
