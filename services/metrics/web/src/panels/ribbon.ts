import { el, setText } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";
import { countFiring } from "../core/alerts.ts";
import { fullTime } from "../core/time.ts";

/** Why the moment that is looked at is not shown; null when it is, or when it is on its way. */
export function replayFailure(view: View): string | null {
  const failure = view.replay?.failure ?? null;
  if (failure === null) return null;
  return failure.lasting ? view.t("time.refused", { why: failure.text }) : view.t("time.failed");
}

/** The band over the page that says that it shows a replay: in words, in a colour and a pattern of its own. */
export class Ribbon implements Panel {
  readonly element = el("section", "ribbon");
  private readonly word = el("strong", "ribbon-word");
  private readonly moment = el("span", "ribbon-moment");
  private readonly pace = el("span", "ribbon-pace");
  private readonly remark = el("span", "ribbon-remark");
  private readonly firing = el("span", "ribbon-firing");
  private readonly back = el("button", "ribbon-live");
  private view: View | null = null;

  constructor() {
    this.back.type = "button";
    this.back.dataset["action"] = "live";
    this.back.addEventListener("click", () => this.view?.act.at(null));
    this.remark.setAttribute("role", "status");
    this.element.append(this.word, this.moment, this.pace, this.remark, this.firing, this.back);
    this.element.hidden = true;
  }

  update(view: View): void {
    this.view = view;
    const { replay } = view;
    this.element.hidden = replay === null;
    if (replay === null) return;
    const shown = fullTime(replay.shown ?? replay.at, view.zone);
    this.element.setAttribute("aria-label", view.t("time.notLive", { moment: shown }));
    setText(this.word, view.t("time.replay"));
    setText(this.moment, shown);
    setText(this.pace, replay.playing ? view.t("time.times", { speed: replay.speed }) : view.t("time.paused"));
    setText(
      this.remark,
      replayFailure(view) ??
        (replay.seeking && replay.shown !== null ? view.t("time.seeking", { moment: fullTime(replay.at, view.zone) }) : ""),
    );
    const counts = countFiring(view.live.board.alerts ?? []);
    const count = counts.critical + counts.warning + counts.info;
    this.firing.hidden = count === 0;
    setText(this.firing, view.t("time.firing", { count }));
    setText(this.back, `${view.t("time.goLive")} (L)`);
  }
}
