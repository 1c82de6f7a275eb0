import type { Locale } from "./core/format.ts";
import { initialLocale } from "./i18n.ts";

type Theme = "dark" | "light";

/** What the viewer likes. Language and theme live in the browser, and the address wins where it names them. */
export class Preferences {
  private chosenLocale: Locale;
  private theme: Theme;

  constructor() {
    const asked = query();
    this.chosenLocale = initialLocale(asked.get("lang"), recall("warroom.locale"), navigator.language);
    this.theme = (asked.get("theme") ?? recall("warroom.theme")) === "light" ? "light" : "dark";
  }

  get locale(): Locale {
    return this.chosenLocale;
  }

  set locale(locale: Locale) {
    this.chosenLocale = locale;
    remember("warroom.locale", locale);
    if (query().has("lang")) rewrite("lang", locale);
  }

  toggleTheme(): void {
    this.theme = this.theme === "dark" ? "light" : "dark";
    remember("warroom.theme", this.theme);
    if (query().has("theme")) rewrite("theme", this.theme);
    this.applyTheme();
  }

  applyTheme(): void {
    document.documentElement.dataset["theme"] = this.theme;
  }
}

function query(): URLSearchParams {
  return new URLSearchParams(window.location.search);
}

function rewrite(name: string, value: string): void {
  const url = new URL(window.location.href);
  url.searchParams.set(name, value);
  window.history.replaceState(null, "", url);
}

// Storage may be forbidden in a kiosk; the page then starts from the browser's language each time.
function recall(key: string): string | null {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    return;
  }
}
