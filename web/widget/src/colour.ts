// One accent colour, readable whatever was set.

const BRAND = "#2459d6";

/** "#rrggbb" in small letters, else the brand's colour: whatever else stands there is not passed on to CSS. */
export function accent(value: string | null | undefined): string {
  return /^#[0-9a-f]{6}$/i.test(value || "") ? (value as string).toLowerCase() : BRAND;
}

/** White or black, whichever stands out: one of them always reaches AA (4.5 : 1, WCAG 2.2 relative luminance). */
export function ink(hex: string): string {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const s = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.18 ? "#fff" : "#000";
}
