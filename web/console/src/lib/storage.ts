// localStorage that never throws: full, forbidden or broken storage costs the comfort, not the work.

export function load<T>(key: string, fallback: T): T {
  try {
    const raw = localStorage.getItem(key);
    return raw === null ? fallback : (JSON.parse(raw) as T);
  } catch {
    return fallback;
  }
}

export function save(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function drop(key: string) {
  try {
    localStorage.removeItem(key);
  } catch {
    // nothing to lose
  }
}

/** Keys beginning with prefix. */
export function keys(prefix: string): string[] {
  try {
    return Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "").filter((k) =>
      k.startsWith(prefix),
    );
  } catch {
    return [];
  }
}
