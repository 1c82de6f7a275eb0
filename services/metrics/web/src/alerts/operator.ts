/** Who acts on this screen: asked once, kept in this browser, and sent with every action. */

export const LONGEST_NAME = 128;
const PLACE = "warroom.operator";

/** The name as it is sent, or null where the server would refuse it (1 to 128 characters). */
export function validName(typed: string): string | null {
  const name = typed.trim();
  // By characters, as the server counts, and not by UTF-16 halves.
  const length = [...name].length;
  return length >= 1 && length <= LONGEST_NAME ? name : null;
}

export class Operator {
  private kept: string | null = null;

  constructor(private readonly storage: () => Storage = () => window.localStorage) {
    try {
      this.kept = validName(this.storage().getItem(PLACE) ?? "");
    } catch {
      // Storage may be forbidden in a kiosk: the name then lasts as long as the page.
      this.kept = null;
    }
  }

  get name(): string | null {
    return this.kept;
  }

  set name(name: string | null) {
    this.kept = name;
    try {
      if (name === null) this.storage().removeItem(PLACE);
      else this.storage().setItem(PLACE, name);
    } catch {
      return;
    }
  }
}
