// Keeps small things in this browser. Where storage is forbidden or full they live as long as the page.

const page: Record<string, string> = {};

export class Keep {
  constructor(private readonly prefix: string) {}

  get(key: string): string | null {
    const k = this.prefix + key;
    try {
      return page[k] ?? localStorage.getItem(k);
    } catch {
      return page[k] ?? null;
    }
  }

  /** Stores value, or removes the key when there is none. */
  set(key: string, value?: string): void {
    const k = this.prefix + key;
    delete page[k];
    try {
      if (value) localStorage.setItem(k, value);
      else localStorage.removeItem(k);
    } catch {
      if (value) page[k] = value;
    }
  }

  /** What is stored under key as JSON, or otherwise when there is none or it is damaged. */
  json<T>(key: string, otherwise: T): T {
    try {
      return (JSON.parse(this.get(key) || "null") as T) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  /** All keys that start with start, without this Keep's prefix. */
  keys(start: string): string[] {
    let all = Object.keys(page);
    try {
      all = all.concat(Object.keys(localStorage));
    } catch {}
    return all.filter((k) => k.startsWith(this.prefix + start)).map((k) => k.slice(this.prefix.length));
  }
}
