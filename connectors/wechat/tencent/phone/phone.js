// The phone: one customer of the demo's account. Everything it shows comes from GET screen; what is being sent is shown pale
// until the screen has it.
const $ = (id) => document.getElementById(id);
const { prefix, lang } = document.body.dataset;
const words = $("words").dataset;
const key = `hearback-demo-customer:${prefix}`;
let customer = "";
let drawn = 0; // lines on the page
let lastAt = 0; // time of the last line with a clock over it
let run = 0; // a new customer ends the old one's polling

const faces = {
  mine: '<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M16 15a5 5 0 100-10 5 5 0 000 10zM6 27c0-6 4-9 10-9s10 3 10 9"/></svg>',
  theirs:
    '<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M7 19a9 9 0 0118 0M11.5 19a4.5 4.5 0 019 0M16 19v6"/></svg>',
};
const waves =
  '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 10.5a2 2 0 010 3M9 7.5a6 6 0 010 9M13 4.5a10 10 0 010 15"/></svg>';

function remembered() {
  const given = new URLSearchParams(location.search).get("customer");
  if (given) return given;
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function remember(id) {
  try {
    localStorage.setItem(key, id);
  } catch {
    // a browser without storage is a new customer on every visit
  }
}

async function post(path, body, type = "application/json") {
  const res = await fetch(prefix + path, { method: "POST", headers: { "Content-Type": type }, body });
  if (!res.ok) throw new Error(String(res.status));
  return res.json();
}

function element(name, cls, text) {
  const e = document.createElement(name);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}

// A text may hold addresses and, in WeChat's own way, <a href="…">words</a>; nothing else is markup.
function rich(text) {
  const out = document.createDocumentFragment();
  const pattern = /<a\s+href="(https?:\/\/[^"]+)"[^>]*>([^<]*)<\/a>|(https?:\/\/[\w\-.~:/?#@!$&'*+,;=%]+)/gi;
  let last = 0;
  for (const m of text.matchAll(pattern)) {
    out.append(text.slice(last, m.index));
    const a = element("a", "", m[2] || m[3]);
    a.href = m[1] || m[3];
    a.target = "_blank";
    a.rel = "noopener noreferrer";
    out.append(a);
    last = m.index + m[0].length;
  }
  out.append(text.slice(last));
  return out;
}

function picture(line) {
  const img = element("img");
  img.alt = words.picture;
  img.src = `${prefix}/media?customer=${encodeURIComponent(customer)}&line=${line.n}`;
  img.addEventListener("load", toEnd);
  return img;
}

function card(title, text, url) {
  const box = element("div", "card");
  const b = element("b");
  if (/^https?:/.test(url ?? "")) {
    const a = element("a", "", title || url);
    a.href = url;
    a.target = "_blank";
    a.rel = "noopener noreferrer";
    b.append(a);
  } else b.textContent = title;
  box.append(b);
  if (text) box.append(element("small", "", text));
  return box;
}

// What a template says: its fields' values, one a line.
function notice(line) {
  let text = line.text;
  try {
    text = Object.values(JSON.parse(line.text))
      .map((f) => f.value)
      .join("\n");
  } catch {
    // shown as it came
  }
  return card(words.template, text, line.url);
}

function menu(line, box) {
  box.append(rich(line.text ?? ""));
  const list = element("div", "menu");
  for (const item of line.menu ?? []) {
    const b = element("button", "", item.Text);
    b.type = "button";
    b.addEventListener("click", () => send("/choose", { customer, id: item.ID, text: item.Text }, item.Text));
    list.append(b);
  }
  box.append(list);
  if (line.title) box.append(rich(line.title));
}

function fill(line, box) {
  switch (line.type) {
    case "image":
      box.classList.add("bare");
      return box.append(picture(line));
    case "voice": {
      const v = element("div", "voice");
      v.innerHTML = waves;
      v.append(element("span", "", words.voice));
      box.append(v);
      if (line.text) box.append(element("div", "heard", line.text));
      return;
    }
    case "msgmenu":
      return menu(line, box);
    case "template":
      return box.append(notice(line));
    case "news":
    case "link":
    case "miniprogrampage":
    case "file":
      return box.append(card(line.title, line.text, line.url));
    case "location":
      return box.append(card(words.place, line.text));
    default:
      box.append(rich(line.text || line.title || `[${line.type}]`));
  }
}

function row(mine) {
  const r = element("div", mine ? "row mine" : "row");
  const face = element("span", "face");
  face.innerHTML = mine ? faces.mine : faces.theirs;
  const box = element("div", "bubble");
  r.append(face, box);
  return [r, box];
}

const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(lang, {
  month: "numeric",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});

function draw(line) {
  const at = Date.parse(line.at);
  if (at - lastAt > 5 * 60_000) {
    $("lines").append(element("p", "at", (Date.now() - at < 12 * 3600_000 ? clock : day).format(at)));
    lastAt = at;
  }
  if (line.from === "system") {
    $("lines").append(element("p", "note", line.text));
    return;
  }
  const mine = line.from === "customer";
  const [r, box] = row(mine);
  r.dataset.type = line.type;
  fill(line, box);
  $("lines").append(r);
  if (!mine) $("news").textContent = line.text ?? words[line.type] ?? "";
}

function toEnd() {
  $("lines").scrollTop = $("lines").scrollHeight;
}

function show(screen) {
  for (const p of $("lines").querySelectorAll(".pending")) p.remove();
  const fresh = screen.lines.filter((l) => l.n >= drawn);
  for (const line of fresh) draw(line);
  if (fresh.length) {
    drawn = fresh[fresh.length - 1].n + 1;
    toEnd();
  }
  $("typing").hidden = !screen.typing;
  $("follow").textContent = screen.followed ? $("follow").dataset.yes : $("follow").dataset.no;
  $("follow").setAttribute("aria-pressed", String(screen.followed));
  showWindow(screen);
}

function showWindow(screen) {
  const w = $("window");
  const open = screen.window_closes_at && Date.parse(screen.window_closes_at) > Date.now();
  let text = w.dataset.shut;
  if (!screen.followed) text = w.dataset.off;
  else if (open && screen.remaining > 0)
    text = w.dataset.open
      .replace("{time}", day.format(Date.parse(screen.window_closes_at)))
      .replace("{n}", screen.remaining);
  else if (open) text = w.dataset.used;
  if (!drawn && screen.followed) text = words.hello;
  w.textContent = text;
  w.classList.toggle("low", Boolean(drawn) && !(screen.followed && open && screen.remaining > 1));
}

async function watch() {
  const mine = ++run;
  let version = "";
  for (let pause = 500; mine === run; ) {
    try {
      const q = new URLSearchParams({ customer, version, wait: version ? "25" : "0" });
      const res = await fetch(`${prefix}/screen?${q}`);
      if (!res.ok) throw new Error(String(res.status));
      const screen = await res.json();
      if (mine !== run) return;
      if (screen.version !== version) show(screen);
      version = screen.version;
      pause = 500;
    } catch {
      if (mine !== run) return;
      $("window").textContent = words.away;
      await new Promise((go) => setTimeout(go, pause));
      pause = Math.min(pause * 2, 10_000);
    }
  }
}

// Shows what is being sent at once; an answer that never came is told, so that the words are not lost.
async function send(path, body, text, type) {
  const [r, box] = row(true);
  r.classList.add("pending");
  box.textContent = text;
  $("lines").append(r);
  toEnd();
  try {
    await post(path, type ? body : JSON.stringify(body), type);
    return true;
  } catch {
    r.remove();
    $("window").textContent = words.failed;
    return false;
  }
}

async function say(text) {
  if (!text.trim()) return;
  const field = $("text");
  field.value = "";
  grow();
  if (!(await send("/say", { customer, text }, text)) && !field.value) {
    field.value = text;
    grow();
  }
}

function grow() {
  const field = $("text");
  field.style.height = "38px";
  field.style.height = `${Math.min(field.scrollHeight + 2, 126)}px`;
  $("send").disabled = !field.value.trim();
}

async function sendPicture(file) {
  if (file && file.size > 5 << 20) {
    $("window").textContent = words.toobig;
    return;
  }
  const q = `/image?customer=${encodeURIComponent(customer)}`;
  await send(q, file ?? "", words.picture, file?.type || "image/png");
}

async function become(id) {
  customer = id;
  if (!customer) {
    try {
      customer = (await post("/customers", "{}")).customer;
    } catch {
      $("window").textContent = words.away;
      setTimeout(() => become(""), 2000);
      return;
    }
  }
  remember(customer);
  $("lines").replaceChildren();
  drawn = lastAt = 0;
  watch();
}

$("form").addEventListener("submit", (e) => {
  e.preventDefault();
  say($("text").value);
});
$("text").addEventListener("input", grow);
$("text").addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  say($("text").value);
});
$("more").addEventListener("click", () => {
  const open = $("tray").hidden;
  $("tray").hidden = !open;
  $("more").setAttribute("aria-expanded", String(open));
  toEnd();
});
for (const b of $("chips").querySelectorAll("button")) b.addEventListener("click", () => say(b.textContent));
$("sample").addEventListener("click", () => sendPicture());
$("voice").addEventListener("click", () => send("/voice", { customer, text: $("voice").dataset.text }, words.voice));
$("place").addEventListener("click", () => send("/location", { customer }, words.place));
$("pick").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  if ($("file").files[0]) sendPicture($("file").files[0]);
  $("file").value = "";
});
$("follow").addEventListener("click", () =>
  post("/follow", JSON.stringify({ customer, on: $("follow").getAttribute("aria-pressed") !== "true" })).catch(
    () => {},
  ),
);
$("fresh").addEventListener("click", () => become(""));
grow();
become(remembered());
