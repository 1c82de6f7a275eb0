const PLACE = "warroom.sound";
const TONES_HZ = [880, 660];
const TONE_S = 0.18;

/** Two short tones for a new critical alert. Off until somebody turns it on; browsers want a press before any sound. */
export class Sound {
  private context: AudioContext | null = null;
  private enabled = false;

  constructor() {
    try {
      this.enabled = window.localStorage.getItem(PLACE) === "on";
    } catch {
      this.enabled = false;
    }
    if (this.enabled) window.addEventListener("pointerdown", () => this.wake(), { once: true });
  }

  get on(): boolean {
    return this.enabled;
  }

  toggle(): void {
    this.enabled = !this.enabled;
    try {
      window.localStorage.setItem(PLACE, this.enabled ? "on" : "off");
    } catch {
      // It then lasts as long as the page.
    }
    if (this.enabled) {
      this.wake();
      this.play();
    }
  }

  play(): void {
    const { context } = this;
    if (!this.enabled || context === null || context.state === "closed") return;
    TONES_HZ.forEach((hertz, index) => {
      const begin = context.currentTime + index * TONE_S;
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.2, begin);
      // Cut off at once, a tone clicks.
      volume.gain.exponentialRampToValueAtTime(0.001, begin + TONE_S);
      tone.connect(volume).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + TONE_S);
    });
  }

  private wake(): void {
    this.context ??= new AudioContext();
    // Refused where nobody has pressed anything yet: the tones are a courtesy, the screen tells it all.
    void this.context.resume().catch(() => undefined);
  }
}
