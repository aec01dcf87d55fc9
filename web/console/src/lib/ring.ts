// A soft two-note ring, made here: no file to load. Off unless the agent asked for it.

/** Rings every two seconds while asked, a minute at most. Browsers that want a click first stay silent. */
export async function ring(still: () => boolean) {
  const audio = new AudioContext();
  try {
    await audio.resume();
    for (let i = 0; i < 30 && still(); i++) {
      note(audio, 784, 0);
      note(audio, 988, 0.18);
      await new Promise((r) => setTimeout(r, 2000));
    }
  } finally {
    await audio.close().catch(() => {});
  }
}

function note(audio: AudioContext, hertz: number, after: number) {
  const at = audio.currentTime + after;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.type = "sine";
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.12, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.45);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.5);
}
