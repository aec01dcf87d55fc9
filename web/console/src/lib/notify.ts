// Browser notifications, only when asked for and only while the window is not looked at.
import { load } from "./storage";

let go: (ticket: string) => void = () => {};

export function onNotificationClick(f: (ticket: string) => void) {
  go = f;
}

/** Shows a ticket from where no screen's router is at hand. */
export const openTicket = (ticket: string) => go(ticket);

export function notify(title: string, body: string, ticket: string) {
  if (!load<{ notify?: boolean }>("hb.prefs", {}).notify) return;
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  if (document.visibilityState === "visible" && document.hasFocus()) return;
  try {
    const n = new Notification(title, { body: body.slice(0, 140), tag: ticket });
    n.onclick = () => {
      window.focus();
      go(ticket);
      n.close();
    };
  } catch {
    // Phones allow notifications only from a service worker.
  }
}

export async function askToNotify(): Promise<boolean> {
  if (typeof Notification === "undefined") return false;
  return (await Notification.requestPermission()) === "granted";
}
