import type { Locale } from "../core/format.ts";
import { fullTime } from "../core/time.ts";
import { translateName } from "../i18n.ts";
import { el, setText } from "../ui/dom.ts";
import { PIPELINE, type Item } from "./card.ts";
import type { Look } from "./timeline.ts";
import { delayText, word } from "../words/rehearsal.ts";

/** What is known of an item, as pairs. */
export class Details {
  readonly element = el("section", "details");
  private readonly pairs = el("dl", "pairs");
  private readonly hint = el("p", "hint");

  constructor() {
    this.element.setAttribute("aria-live", "polite");
    this.element.append(this.hint, this.pairs);
  }

  show(item: Item | null, { locale, zone }: Look): void {
    setText(this.hint, item === null ? `${word(locale, "hint")} ${word(locale, "keys")}` : "");
    this.hint.hidden = item !== null;
    this.element.dataset["mark"] = item?.mark ?? "";
    const rows: [string, string][] = item === null ? [] : pairsOf(item, locale, zone);
    this.pairs.replaceChildren(...rows.flatMap(([name, value]) => [el("dt", "", name), el("dd", "", value)]));
  }
}

function pairsOf(item: Item, locale: Locale, zone: string): [string, string][] {
  const name = item.rule === "" ? item.kind : translateName(locale, "rule", item.rule);
  const instant = item.mark === "false" || item.mark === "accepted";
  const rows: [string, string | null][] = [
    [word(locale, `mark.${item.mark}`), name],
    [word(locale, "festival"), item.festival === PIPELINE ? word(locale, "pipeline") : item.festival],
    [word(locale, "labels"), Object.values(item.labels).join(" · ")],
    [word(locale, item.mark === "accepted" ? "follows" : "kind"), item.rule === "" ? "" : item.kind],
    [word(locale, "starts"), instant ? "" : fullTime(item.from, zone)],
    [word(locale, "ends"), instant ? "" : fullTime(item.to, zone)],
    [word(locale, "told"), item.told === null ? "" : fullTime(item.told, zone)],
    [word(locale, "delay"), item.delaySeconds === null ? "" : delayText(locale, item.delaySeconds)],
    [word(locale, "severity"), item.severity === "" ? "" : translateName(locale, "severity", item.severity)],
    [word(locale, "summary"), item.summary],
    [word(locale, "why"), item.note],
    [word(locale, "during"), item.during.join("; ")],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== null && row[1] !== "");
}
