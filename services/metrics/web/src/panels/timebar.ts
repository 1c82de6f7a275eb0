import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { isNarrow } from "../ui/fit.ts";
import type { Panel, View } from "../ui/panel.ts";
import { SPEEDS, type Speed } from "../core/player.ts";
import { clockTime, epoch, fullTime } from "../core/time.ts";
import { bandsOf, marksOf, momentAt, movedBy, shareOf, ticksOf, trackOf, wholeSecond, type Track } from "../core/timeline.ts";
import { phaseName, translateName } from "../i18n.ts";

/** While the hand drags, moments are asked for this often at most. */
const DRAG_EVERY_MS = 200;
/** Whoever lets go this close to the right edge (a share) of a running campaign wants to see now. */
const NOW_SHARE = 0.004;
/** By keys one comes this near to now before it is now, however long the campaign. */
const NOW_MS = 10_000;
const MARKS_APART = 0.006;
/** Jumps to a mark when the press is this close to it. */
const SNAP = 0.004;
/** Half of a tick's words, and all of the handle's, in rem. */
const TICK_REM = 1.7;
const THUMB_TEXT_REM = 13.5;
const MARKS = { critical: "▲", warning: "◆", info: "●" } as const;

/** The campaign from its start to now or its end: where one is, and a handle to go elsewhere. */
export class TimeBar implements Panel {
  readonly element = el("section", "timebar");
  private readonly play = el("button", "time-play");
  private readonly speeds = el("div", "time-speeds");
  private readonly bands = el("div", "time-bands");
  private readonly ticks = el("div", "time-ticks");
  private readonly marks = el("div", "time-marks");
  private readonly watermark = el("div", "time-watermark");
  private readonly past = el("div", "time-past");
  private readonly marked = el("div", "time-marked");
  private readonly thumb = el("div", "time-thumb", el("span", "time-thumb-text"));
  private readonly slider = el("div", "time-track");
  private readonly live = el("button", "time-live");
  private view: View | null = null;
  private track: Track | null = null;
  private drag: { at: number; committedAt: number } | null = null;

  constructor() {
    this.play.type = "button";
    this.play.dataset["action"] = "play";
    this.play.addEventListener("click", () => this.view?.act.playOrHold());
    this.live.type = "button";
    this.live.dataset["action"] = "live";
    this.live.addEventListener("click", () => this.view?.act.at(null));
    this.speeds.setAttribute("role", "group");
    for (const speed of SPEEDS) this.speeds.append(this.speedButton(speed));
    this.slider.append(this.bands, this.marked, this.past, this.watermark, this.ticks, this.marks, this.thumb);
    this.slider.setAttribute("role", "slider");
    this.slider.setAttribute("aria-orientation", "horizontal");
    this.slider.tabIndex = 0;
    this.listen();
    this.element.append(this.play, this.speeds, this.slider, this.live);
    this.element.dataset["panel"] = "time";
  }

  /** Moves as a key does that is pressed on the bar. */
  press(key: string, shift = false): boolean {
    const { view, track } = this;
    if (view === null || track === null) return false;
    const to = movedBy(track, view.replay?.at ?? track.to, key, shift);
    if (to === null) return false;
    this.go(to);
    return true;
  }

  update(view: View): void {
    this.view = view;
    const campaign = view.board.campaign ?? view.live.board.campaign;
    this.track = campaign === null ? null : trackOf(campaign, view.live.now);
    this.element.hidden = this.track === null;
    setAttribute(this.element, "aria-label", view.t("time.label"));
    if (campaign === null || this.track === null) return;
    this.updateControls(view);
    this.updateBands(view, this.track, campaign.phases ?? []);
    this.updateTicks(view, this.track);
    this.updateMarks(view, this.track);
    this.updatePlace(view, this.track);
  }

  private updateControls(view: View): void {
    const word = view.t(view.replay === null ? "time.hold" : view.replay.playing ? "time.pause" : "time.play");
    setClass(this.play, `time-play ${view.replay !== null && !view.replay.playing ? "shows-play" : "shows-pause"}`);
    setAttribute(this.play, "aria-label", word);
    setAttribute(this.play, "title", word);
    setAttribute(this.speeds, "aria-label", view.t("time.speed"));
    for (const button of this.speeds.children) {
      const speed = Number((button as HTMLElement).dataset["speed"]);
      setText(button, view.t("time.times", { speed }));
      setAttribute(button, "aria-pressed", String(view.speed === speed));
    }
    setText(this.live, view.t(view.replay === null ? "time.live" : "time.goLive"));
    setAttribute(this.live, "aria-pressed", String(view.replay === null));
  }

  private updateBands(view: View, track: Track, phases: readonly { name: string; start: string; end: string }[]): void {
    const bands = bandsOf(track, phases);
    syncChildren(this.bands, bands.length, () => el("div", "time-band", el("span")), (element, index) => {
      const band = bands[index];
      if (band === undefined) return;
      place(element, band.from);
      setVariable(element, "--length", (band.to - band.from).toFixed(5));
      setText(element.firstElementChild as Element, phaseName(view.locale, band.name));
    });
  }

  private updateTicks(view: View, track: Track): void {
    const thumb = view.replay === null && this.drag === null ? null : shareOf(track, this.drag?.at ?? view.replay?.at ?? track.to);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const remOfTrack = this.slider.clientWidth / rem;
    const ticks = ticksOf(track, view.zone, isNarrow() ? 4 : 12);
    syncChildren(this.ticks, ticks.length, () => el("span", "time-tick"), (element, index) => {
      const tick = ticks[index];
      if (tick === undefined) return;
      place(element, tick.share);
      setText(element, tick.label);
      // A label at either end would be cut by it, and one beside the handle would lie under what that says.
      const room = Math.min(tick.share, 1 - tick.share) * remOfTrack;
      element.hidden = room < TICK_REM || (thumb !== null && underThumb((tick.share - thumb) * remOfTrack, thumb));
    });
  }

  private updateMarks(view: View, track: Track): void {
    const marks = marksOf(track, view.live.begun, MARKS_APART);
    syncChildren(this.marks, marks.length, () => el("span"), (element, index) => {
      const mark = marks[index];
      if (mark === undefined) return;
      place(element, mark.share);
      setClass(element, `time-mark severity-${mark.severity}`);
      setText(element, MARKS[mark.severity]);
      const rules = mark.rules.map((rule) => translateName(view.locale, "rule", rule)).join(", ");
      setAttribute(element, "title", `${clockTime(mark.at, view.zone)} ${view.t("time.alerts", { count: mark.count, rules })}`);
    });
  }

  private updatePlace(view: View, track: Track): void {
    const at = this.drag?.at ?? view.replay?.at ?? track.to;
    const share = shareOf(track, at);
    const live = view.replay === null && this.drag === null;
    const watermark = epoch(view.live.board.overview?.watermark);
    this.watermark.hidden = watermark === null;
    if (watermark !== null) {
      place(this.watermark, shareOf(track, watermark));
      setAttribute(this.watermark, "title", view.t("time.watermark", { time: clockTime(watermark, view.zone) }));
    }
    setVariable(this.past, "--length", share.toFixed(5));
    const { marked } = view.lens;
    this.marked.hidden = marked === null || marked.to <= track.from || marked.from >= track.to;
    if (marked !== null) {
      place(this.marked, shareOf(track, marked.from));
      setVariable(this.marked, "--length", (shareOf(track, marked.to) - shareOf(track, marked.from)).toFixed(5));
    }
    place(this.thumb, share);
    this.thumb.classList.toggle("leans-left", share > 0.5);
    setText(this.thumb.firstElementChild as Element, live ? "" : fullTime(at, view.zone));
    this.element.classList.toggle("is-replay", !live);
    setAttribute(this.slider, "aria-label", view.t("time.slider"));
    setAttribute(this.slider, "aria-valuemin", "0");
    setAttribute(this.slider, "aria-valuemax", String((track.to - track.from) / 1000));
    setAttribute(this.slider, "aria-valuenow", String(Math.max(0, Math.round((at - track.from) / 1000))));
    setAttribute(this.slider, "aria-valuetext", live ? view.t("time.live") : fullTime(at, view.zone));
  }

  private speedButton(speed: Speed): HTMLElement {
    const button = el("button", "time-speed");
    button.type = "button";
    button.dataset["speed"] = String(speed);
    button.addEventListener("click", () => this.view?.act.speed(speed));
    return button;
  }

  private listen(): void {
    this.slider.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { view } = this;
      if (event.key === " ") view?.act.playOrHold();
      else if (event.key.toLowerCase() === "l") view?.act.at(null);
      else if (!this.press(event.key, event.shiftKey)) return;
      event.preventDefault();
    });
    this.slider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.track === null) return;
      this.slider.setPointerCapture(event.pointerId);
      this.drag = { at: this.momentOf(event, true), committedAt: -Infinity };
      this.dragged();
    });
    this.slider.addEventListener("pointermove", (event) => {
      if (this.drag === null) return;
      this.drag.at = this.momentOf(event, false);
      this.dragged();
    });
    const end = (commit: boolean): void => {
      const { drag } = this;
      this.drag = null;
      if (drag !== null && commit) this.drop(drag.at);
      else if (this.view !== null) this.update(this.view);
    };
    this.slider.addEventListener("pointerup", () => end(true));
    this.slider.addEventListener("pointercancel", () => end(false));
  }

  private dragged(): void {
    const { drag, view, track } = this;
    if (drag === null || view === null || track === null) return;
    const now = performance.now();
    if (now - drag.committedAt >= DRAG_EVERY_MS) {
      drag.committedAt = now;
      view.act.at(wholeSecond(Math.min(drag.at, track.to)));
    } else this.updatePlace(view, track);
  }

  private momentOf(event: PointerEvent, snap: boolean): number {
    const { left, width } = this.slider.getBoundingClientRect();
    const { track, view } = this;
    if (track === null || view === null || width === 0) return 0;
    const share = (event.clientX - left) / width;
    if (snap) {
      const near = marksOf(track, view.live.begun, MARKS_APART).find((mark) => Math.abs(mark.share - share) < SNAP);
      if (near !== undefined) return wholeSecond(near.at);
    }
    return momentAt(track, share);
  }

  private drop(at: number): void {
    const { view, track } = this;
    if (view === null || track === null) return;
    if (track.open && shareOf(track, at) >= 1 - NOW_SHARE) view.act.at(null);
    else this.go(at);
  }

  private go(at: number): void {
    const { view, track } = this;
    if (view === null || track === null) return;
    view.act.at(track.open && track.to - at < NOW_MS ? null : at);
  }
}

/** Whether a tick so far (rem) from the handle lies under its words, which stand on its side with more room. */
function underThumb(apart: number, thumb: number): boolean {
  const towardsWords = thumb > 0.5 ? -apart : apart;
  return towardsWords > -TICK_REM - 0.5 && towardsWords < THUMB_TEXT_REM + TICK_REM;
}

function place(element: HTMLElement, share: number): void {
  setVariable(element, "--at", share.toFixed(5));
}
