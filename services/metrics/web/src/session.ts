import type { SessionAnswer } from "./api/schema.ts";

const EVERY_MS = 30_000;
const TIMEOUT_MS = 10_000;

/** Whether a campaign is one of these: ids, with `*` for any characters. */
export function holds(patterns: readonly string[], campaign: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(campaign);
  });
}

/** Where somebody signs in and comes back from to this very view. */
export function loginAddress(location: Pick<Location, "pathname" | "search" | "hash">): string {
  return `login?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`;
}

/**
 * Who looks at this page, as the server knows them. Asked again now and then: a session ends, a role may change. Until
 * the server has told, and where it asks nobody who they are, everything is offered; it refuses by itself what may not be.
 */
export class SignedIn {
  private told: SessionAnswer | null = null;

  constructor(
    private readonly changed: () => void,
    private readonly ask: typeof fetch = (...given) => fetch(...given),
    private readonly leave: (address: string) => void = (address) => window.location.assign(address),
  ) {}

  /** The name that the server writes down; null where people say their own. */
  get name(): string | null {
    return this.told?.login === true ? this.told.name : null;
  }

  /** Whether there is something to sign out of. */
  get leaves(): boolean {
    return this.told?.session === true;
  }

  /** Whether alerts of that campaign may be acknowledged and silenced. */
  operates(campaign: string): boolean {
    return this.told?.login !== true || holds(this.told.operates, campaign);
  }

  start(): void {
    void this.read();
    window.setInterval(() => void this.read(), EVERY_MS);
  }

  async read(): Promise<void> {
    let response: Response;
    try {
      response = await this.ask("api/v1/session", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.status === 401) {
        this.leave(loginAddress(window.location));
        return;
      }
      if (!response.ok) return;
      this.told = (await response.json()) as SessionAnswer;
    } catch {
      // No answer: what was told last stays.
      return;
    }
    this.changed();
  }

  async signOut(): Promise<void> {
    try {
      await this.ask("logout", { method: "POST", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      // The login page follows; who is still signed in is led on from there and sees it.
      return;
    }
    this.leave("login");
  }
}
