import { el, setAttribute, setClass, setText } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";
import { NONE } from "../core/format.ts";
import { calendarDate, clockTime, currentPhase, epoch, formatSpan, momentOf } from "../core/time.ts";
import { phaseName } from "../i18n.ts";
import type { Campaign } from "../feed/types.ts";

export interface HeaderActions {
  /** A campaign's id, or null to follow the newest active one. */
  choose(id: string | null): void;
  toggleLanguage(): void;
  toggleTheme(): void;
  toggleHidden(): void;
  toggleCompare(): void;
}

/** Longer names are set smaller, on two lines. */
const LONG_NAME = 22;

interface Labelled {
  readonly element: HTMLElement;
  set(label: string, value: string): void;
}

function labelled(className: string): Labelled {
  const label = el("span", "label");
  const value = el("span", "value");
  return {
    element: el("div", `fact ${className}`, label, value),
    set(labelText, valueText) {
      setText(label, labelText);
      setText(value, valueText);
    },
  };
}

/** Which campaign, which phase, what time it is there, and whether the screen can be believed. */
export class Header implements Panel {
  readonly element: HTMLElement;
  private readonly name = el("h1", "campaign-name");
  private readonly select = el("select");
  private readonly phase = labelled("phase");
  private readonly remaining = labelled("remaining");
  private readonly elapsed = labelled("elapsed");
  private readonly clock = labelled("clock");
  private readonly asOf = labelled("as-of");
  private readonly watermark = labelled("watermark");
  private readonly badge = el("div", "badge");
  private readonly badgeText = el("span", "badge-text");
  private readonly language = el("button", "tool");
  private readonly theme = el("button", "tool tool-theme");
  private readonly compare = el("button", "tool tool-compare");
  private readonly hide = el("button", "tool tool-hide");
  private readonly review = el("a", "tool tool-review", el("span", "review-icon"));
  private campaigns: readonly Campaign[] = [];
  private chosen: string | null = null;
  private offered = "";

  constructor(actions: HeaderActions) {
    const picker = el("div", "picker", this.name, el("span", "chevron"), this.select);
    this.select.addEventListener("change", () => actions.choose(this.select.value === "" ? null : this.select.value));
    this.language.type = "button";
    this.language.dataset["action"] = "language";
    this.language.addEventListener("click", () => actions.toggleLanguage());
    this.theme.type = "button";
    this.theme.dataset["action"] = "theme";
    this.theme.append(el("span", "theme-icon"));
    this.theme.addEventListener("click", () => actions.toggleTheme());
    this.hide.type = "button";
    this.hide.dataset["action"] = "hide";
    this.hide.append(el("span", "hide-icon"));
    this.hide.addEventListener("click", () => actions.toggleHidden());
    this.compare.type = "button";
    this.compare.dataset["action"] = "compare";
    this.compare.append(el("span", "compare-icon"));
    this.compare.addEventListener("click", () => actions.toggleCompare());
    this.badge.append(el("span", "badge-mark"), this.badgeText);
    this.badge.setAttribute("role", "status");
    this.element = el(
      "header",
      "header",
      picker,
      el("div", "facts", this.phase.element, this.remaining.element, this.elapsed.element, this.clock.element),
      el("div", "freshness", this.asOf.element, this.watermark.element, this.badge),
      el("div", "tools", this.review, this.compare, this.hide, this.language, this.theme),
    );
  }

  /** What can be chosen; `chosen` is null while the newest active campaign is followed. */
  offer(campaigns: readonly Campaign[], chosen: string | null): void {
    this.campaigns = campaigns;
    this.chosen = chosen;
    this.offered = "";
  }

  /** Gives the focus to the choice of a campaign. */
  focusPicker(): void {
    this.select.focus();
  }

  update(view: View): void {
    this.updatePicker(view);
    this.updateTime(view);
    this.updateFreshness(view);
    setText(this.language, view.t("header.language"));
    setAttribute(this.language, "title", view.t("header.languageHint"));
    setAttribute(this.language, "aria-label", view.t("header.languageHint"));
    setAttribute(this.theme, "title", view.t("header.theme"));
    setAttribute(this.theme, "aria-label", view.t("header.theme"));
    const compared = view.lens.compare !== null;
    this.compare.disabled = !compared && this.campaigns.length < 2;
    const word = view.t(this.compare.disabled ? "compare.none" : compared ? "compare.close" : "compare.open");
    setAttribute(this.compare, "title", word);
    setAttribute(this.compare, "aria-label", view.t("compare.open"));
    setAttribute(this.compare, "aria-pressed", String(compared));
    const { campaign } = view.board;
    this.review.hidden = campaign === null;
    if (campaign !== null) setAttribute(this.review, "href", `campaigns/${encodeURIComponent(campaign.id)}/review?lang=${view.locale}`);
    setAttribute(this.review, "title", view.t("header.review"));
    setAttribute(this.review, "aria-label", view.t("header.review"));
    setAttribute(this.hide, "title", view.t(view.lens.hidden ? "hide.off" : "hide.on"));
    setAttribute(this.hide, "aria-label", view.t("hide.on"));
    setAttribute(this.hide, "aria-pressed", String(view.lens.hidden));
  }

  private updatePicker(view: View): void {
    setText(this.name, view.board.campaign?.name ?? view.t("app.title"));
    setAttribute(this.name, "title", view.board.campaign?.id ?? null);
    this.name.classList.toggle("long", (view.board.campaign?.name.length ?? 0) > LONG_NAME);
    setAttribute(this.select, "aria-label", view.t("header.picker"));
    const offered = `${view.locale}${this.chosen ?? ""}${this.campaigns.map(({ id, name }) => id + name).join()}`;
    if (offered === this.offered) return;
    this.offered = offered;
    const options = [new Option(view.t("header.auto"), "")];
    for (const { id, name } of this.campaigns) options.push(new Option(name === id ? id : `${name} (${id})`, id));
    this.select.replaceChildren(...options);
    this.select.value = this.chosen ?? "";
  }

  private updateTime(view: View): void {
    const { campaign } = view.board;
    const { now, zone } = view;
    if (campaign === null) {
      for (const fact of [this.phase, this.remaining, this.elapsed, this.clock]) fact.element.hidden = true;
      return;
    }
    this.phase.element.hidden = false;
    this.clock.element.hidden = false;
    const moment = momentOf(campaign, now);
    const phase = currentPhase(campaign, now);
    const span = (milliseconds: number): string => formatSpan(milliseconds, view.t("unit.day"));
    this.phase.set(
      view.t("header.phase"),
      phase === null ? view.t("header.noPhase") : phaseName(view.locale, phase.name),
    );
    const start = epoch(campaign.start);
    const end = epoch(campaign.end);
    const phaseEnd = phase === null ? null : epoch(phase.end);
    this.elapsed.element.hidden = moment !== "running" || start === null;
    if (start !== null) this.elapsed.set(view.t("header.elapsed"), span(now - start));
    const rest: readonly [label: string, text: string] | null =
      moment === "before" && start !== null
        ? [view.t("header.startsIn"), span(start - now)]
        : moment === "after" && end !== null
          ? [view.t("header.endedAgo"), view.t("header.ago", { span: span(now - end) })]
          : phaseEnd !== null && phaseEnd > now
            ? [view.t("header.phaseLeft"), span(phaseEnd - now)]
            : end !== null
              ? [view.t("header.left"), span(end - now)]
              : null;
    this.remaining.element.hidden = rest === null;
    if (rest !== null) this.remaining.set(...rest);
    this.clock.set(`${calendarDate(now, zone)} · ${zone}`, clockTime(now, zone));
  }

  private updateFreshness(view: View): void {
    const { overview } = view.board;
    const time = (text: string | null | undefined): string => {
      const at = epoch(text);
      return at === null ? NONE : clockTime(at, view.zone);
    };
    this.asOf.set(view.t("fresh.asOf"), time(overview?.as_of));
    this.watermark.set(view.t("fresh.watermark"), time(overview?.watermark));
    const behind = view.freshness === "late" && view.lagMs !== null;
    const word = view.t(`fresh.${view.freshness}`);
    setText(
      this.badgeText,
      behind ? `${word} · ${view.t("fresh.behind", { seconds: Math.round((view.lagMs ?? 0) / 1000) })}` : word,
    );
    setClass(this.badge, `badge badge-${view.freshness}`);
  }
}
