// The loader: what a shop puts on its pages. It draws the launcher, opens the chat in an iframe of Hearback's own origin and
// passes on as little as possible. It styles by CSSOM inside a shadow root, so that it works under a strict CSP and the page's
// style sheets do not reach it. A visitor who never opens the chat costs one small script and, once per browser, the frame.
(() => {
  type Data = Record<string, unknown>;
  const doc = document;
  const me = (doc.currentScript || doc.querySelector("script[data-channel]")) as HTMLScriptElement;
  const { channel, color = "", locale = "" } = me.dataset;
  const w = window as unknown as { Hearback?: Data & { length?: number } };
  if (!channel || w.Hearback?.open) return;

  const home = new URL(me.src).origin;
  const lang = locale || doc.documentElement.lang || navigator.language;
  const say = (zh: string, en: string) => (/^zh/i.test(lang) ? zh : en);
  const small = matchMedia("(max-width:480px),(max-height:420px)");
  const calm = matchMedia("(prefers-reduced-motion:reduce)").matches;

  // What is remembered on the page's own origin: the launcher's colours, that there is a conversation, that it is open. Storage
  // throws where the browser forbids it; then nothing is remembered and everything still works.
  const mark = `hearback.${channel}.`;
  const recall = (key: string) => {
    try {
      return localStorage.getItem(mark + key);
    } catch {
      return "";
    }
  };
  const remember = (key: string, value: unknown) => {
    try {
      localStorage.setItem(mark + key, `${value || ""}`);
    } catch {}
  };

  const host = doc.createElement("hearback-widget");
  const root = host.attachShadow({ mode: "open" });
  const button = doc.createElement("button");
  const badge = doc.createElement("b");
  const frame = doc.createElement("iframe");
  const layer = "position:fixed;z-index:2147483000;border:0;";
  let colours = "display:none;";
  let ready = false;
  let open = false;
  let unread = 0;
  let overflow = "";
  let named: unknown; // the last identify; undefined: none to pass on

  /** Tells the frame what it should know; before it is ready nothing is lost, everything is told then. */
  const tell = () => {
    load();
    if (!ready) return;
    if (named !== undefined) frame.contentWindow?.postMessage({ t: "identify", who: named }, home);
    named = undefined;
    frame.contentWindow?.postMessage({ t: "open", on: open }, home);
  };

  const load = () => {
    if (frame.src) return;
    frame.src = `${home}/c/${channel}/frame?${new URLSearchParams({ o: location.origin, lang, locale, color })}`;
    root.insertBefore(frame, button);
  };

  // On a phone the chat is the whole screen, above the keyboard, and the page behind it does not scroll.
  const paint = () => {
    const full = small.matches;
    const hide = open && full;
    const view = window.visualViewport;
    button.style.cssText = `${layer}right:20px;bottom:20px;width:56px;height:56px;border-radius:28px;padding:14px;cursor:pointer;box-shadow:0 4px 20px #0f172a55;${colours}${hide ? "display:none" : ""}`;
    frame.style.cssText = `${layer}${
      full
        ? `left:0;width:100%;top:${(hide && view?.offsetTop) || 0}px;height:${hide && view ? `${view.height}px` : "100%"};`
        : "right:20px;bottom:88px;width:360px;height:560px;max-height:calc(100% - 108px);border-radius:16px;box-shadow:0 16px 48px #0f172a55;"
    }${calm ? "" : "transition:.14s;transition-property:opacity,transform,visibility;"}${open ? "" : "opacity:0;visibility:hidden;transform:translateY(10px)"}`;
    const page = doc.documentElement.style;
    if (hide && page.overflow !== "hidden") {
      overflow = page.overflow;
      page.overflow = "hidden";
    } else if (!hide && page.overflow === "hidden") page.overflow = overflow;

    const n = open ? 0 : unread;
    const label = open ? say("收起聊天", "Close chat") : say("联系客服", "Chat with us");
    button.innerHTML = `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="${
      open
        ? "M6 9l6 6 6-6"
        : "M12 3.5c-5 0-9 3.3-9 7.5 0 2.3 1.2 4.3 3.1 5.7L5.4 20.5l4-2.3c.8.2 1.7.3 2.6.3 5 0 9-3.3 9-7.5s-4-7.5-9-7.5zM8 11h0m4 0h0m4 0h0"
    }"/></svg>`;
    button.appendChild(badge);
    badge.textContent = `${n}`;
    badge.style.cssText = `position:absolute;top:-4px;right:-4px;min-width:12px;padding:0 4px;border-radius:10px;background:#c81e3a;color:#fff;font:12px/20px system-ui${n ? "" : ";display:none"}`;
    button.setAttribute("aria-label", label + (n ? ` (${n} ${say("条未读", "unread")})` : ""));
    button.setAttribute("aria-expanded", `${open}`);
  };

  const show = (on: boolean) => {
    if (on === open) return;
    open = on;
    paint();
    tell();
    remember("open", on && "1");
    (on ? frame : button).focus();
  };

  const wear = (c: string) => {
    const [background, ink] = c.split(" ");
    colours = `background:${background};color:${ink};`;
    paint();
  };

  const api = {
    open: () => show(true),
    close: () => show(false),
    /** Who is logged in at the page: {identity_token} (JWT) or {identifier, identifier_hash}, with name and email; null: nobody any more. */
    identify: (who: unknown) => {
      named = who;
      tell();
    },
    /** Hearback.push(["identify", {…}]) works before and after this script has loaded. */
    push: ([name, what]: ["open" | "close" | "identify", unknown?]) => api[name](what),
  };

  addEventListener("message", ({ data, source, origin }) => {
    if (!data || source !== frame.contentWindow || origin !== home) return;
    const { t } = data;
    if (t === "ready") {
      ready = true;
      tell();
      wear(data.wear);
      remember("wear", data.wear);
    } else if (t === "unread") {
      unread = data.n;
      paint();
    } else if (t === "close") show(false);
    else if (t === "live") remember("live", data.on);
  });

  const start = () => {
    doc.body.appendChild(host);
    root.appendChild(button);
    frame.title = say("在线客服", "Customer service chat");
    button.onclick = () => show(!open);
    button.onpointerenter = load;
    small.addListener(paint); // addEventListener is missing here before Safari 14
    window.visualViewport?.addEventListener("resize", paint);
    const known = recall("wear");
    if (known) wear(known);
    else paint();
    if (!known || recall("live")) load();
    if (recall("open") && !small.matches) show(true);
    const early = (w.Hearback || []) as unknown as ["open"][];
    w.Hearback = api as unknown as Data;
    for (const call of early) api.push(call);
  };
  if (doc.body) start();
  else addEventListener("DOMContentLoaded", start);
})();
