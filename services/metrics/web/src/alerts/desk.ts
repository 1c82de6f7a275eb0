import { Acting, type Act } from "./acting.ts";
import { HTTP_API, type AlertsApi } from "./api.ts";
import { NameDialog } from "./name-dialog.ts";
import { Operator } from "./operator.ts";
import { SilenceDialog } from "./silence-dialog.ts";
import { Silences } from "./silences.ts";
import { told, type FeedAlert } from "./model.ts";
import { SignedIn } from "../session.ts";
import type { View } from "../ui/panel.ts";

/** Where alerts are acted on: who does it, what is on its way, and the dialogs that ask. */
export class Desk {
  readonly operator = new Operator();
  readonly signedIn: SignedIn;
  readonly acting: Acting;
  readonly silences: Silences;
  /** Dialogs: they lie over the page and not in a part of it that may be hidden. */
  readonly layers: readonly HTMLElement[];
  private readonly nameDialog = new NameDialog(this.operator);
  private readonly silenceDialog: SilenceDialog;
  private view: View | null = null;

  constructor(
    readonly changed: () => void,
    readonly api: AlertsApi = HTTP_API,
  ) {
    const name = (always: boolean): Promise<string | null> => this.name(always);
    this.signedIn = new SignedIn(changed);
    this.acting = new Acting(api, changed);
    this.silences = new Silences(api, this.acting, name, changed);
    this.silenceDialog = new SilenceDialog(this.acting, name, () => this.who, () => void this.silences.read());
    this.layers = [this.silenceDialog.element, this.silences.element, this.nameDialog.element];
  }

  /** Why nobody can act here and now, in words; null when one can. */
  blocked(view: View): string | null {
    if (view.lens.at !== null) return view.t("acting.replay");
    return this.silences.unreachable ? view.t("acting.readOnly") : null;
  }

  /** Who acts here: whom the server knows, else who said so. */
  get who(): string | null {
    return this.signedIn.name ?? this.operator.name;
  }

  /** Whether the one who looks may act on it at all; else nothing of the kind is offered. */
  may(alert: FeedAlert): boolean {
    // What is of no campaign is for those who have all of them.
    return this.signedIn.operates(alert.campaign_id ?? "*");
  }

  act(alert: FeedAlert): Act | null {
    return this.acting.of("acknowledge", alert.id);
  }

  async acknowledge(alert: FeedAlert, note = ""): Promise<boolean> {
    if (this.view === null || this.blocked(this.view) !== null || alert.state !== "firing" || !this.may(alert)) return false;
    const by = await this.name(false);
    return by !== null && this.acting.acknowledge(alert.id, by, note.trim());
  }

  silence(alert: FeedAlert): void {
    if (this.view !== null && this.blocked(this.view) === null && this.may(alert)) this.silenceDialog.open(this.view, alert);
  }

  rename(): void {
    void this.name(true);
  }

  openSilences(): void {
    if (this.view !== null) this.silences.open(this.view);
  }

  update(view: View): void {
    this.view = view;
    this.acting.settle(told(view.board.alerts));
    this.silenceDialog.update(view);
    this.silences.update(view, this.blocked(view));
  }

  /** The name to act by; asked for where none is known, or `always`. */
  private async name(always: boolean): Promise<string | null> {
    if (this.signedIn.name !== null) return this.signedIn.name;
    if (this.operator.name !== null && !always) return this.operator.name;
    const name = this.view === null ? null : await this.nameDialog.ask(this.view);
    this.changed();
    return name;
  }
}
