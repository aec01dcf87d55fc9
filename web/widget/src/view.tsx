// What the visitor sees. One render from the store per change; Preact finds the difference. Text from people is always text,
// never HTML, and stands in a direction of its own, so that a bidi override cannot reach the words beside it.
import { type ComponentChildren, Fragment, h } from "preact";
import type { Pending } from "./outbox";
import type { Store } from "./store";
import type { Attachment, Entry } from "./wire";
import { clock, day, reason, type Words } from "./words";

export interface Ui {
  store: Store;
  lang: string;
  w: Words;
  close(): void;
  input(): void;
  press(e: KeyboardEvent): void;
  submit(): void;
  files(list: FileList | null | undefined): void;
  down(): void;
  behind: boolean; // the visitor scrolled up and something new came
  empty: boolean; // nothing to send in the composer
}

const Icon = ({ d }: { d: string }) => (
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d={d} />
  </svg>
);

const cross = "M6 6l12 12M18 6L6 18";
const speaker = "M4 9v6h3l5 4V5L7 9z";
const plus = "M12 5v14M5 12h14";
const arrow = "M12 19V5M5.5 11.5L12 5l6.5 6.5";

export function App(ui: Ui) {
  return (
    <>
      <Head {...ui} />
      <Log {...ui} />
      <Composer {...ui} />
    </>
  );
}

function Head({ store, w, close }: Ui) {
  const { config, online, sound } = store;
  return (
    <header>
      <i class={online ? "face on" : "face"}>
        <Icon d="M5 14a7 7 0 0114 0M8.5 14a3.5 3.5 0 017 0M12 14v5" />
      </i>
      <div>
        <h1 dir="auto">{config.title || w.title}</h1>
        <p>{online ? w.online : config.hours || (online === false && w.offline) || "\u00a0"}</p>
      </div>
      <button aria-pressed={sound} aria-label={w.sound} onClick={() => store.toggleSound()}>
        <Icon d={speaker + (sound ? "M16 9a4 4 0 010 6M18.5 6.5a8 8 0 010 11" : "M16.5 9.5l5 5M21.5 9.5l-5 5")} />
      </button>
      <button id="close" aria-label={w.close} onClick={close}>
        <Icon d={cross} />
      </button>
    </header>
  );
}

function Log(ui: Ui) {
  const { store, w } = ui;
  const { entries, out, typing } = store;
  const { greeting } = store.config; // shown when it is known, so that it does not change under the reader
  return (
    <main>
      <div id="log" role="log" aria-label={w.log} tabIndex={0}>
        {greeting != null && (
          <div class="row agent">
            <Bubble text={greeting || w.greeting} />
          </div>
        )}
        {entries.map((e, i) => (
          <Line
            key={e.client_msg_id || e.id}
            ui={ui}
            e={e}
            prev={entries[i - 1]}
            next={entries[i + 1]}
            last={i > entries.length - 2 && !out.list.length}
          />
        ))}
        {out.list.map((p) => (
          // What was missed comes before what waits: drawn anew there instead of pushed down.
          <Waiting key={p.id + entries.length} ui={ui} p={p} />
        ))}
        {typing && (
          <div class="row agent" key="typing">
            <div class="bubble dots" role="img" aria-label={`${typing} ${w.typing}`}>
              <i />
              <i />
              <i />
            </div>
          </div>
        )}
      </div>
      {store.lost && (
        <p class="lost" role="status">
          {w.lost}
        </p>
      )}
      {ui.behind && (
        <button class="more" onClick={ui.down}>
          ↓ {w.unread}
        </button>
      )}
    </main>
  );
}

const TOGETHER = 3e5; // messages of one sender within five minutes share their name and time

/** Whether two neighbours are shown as one group. */
const near = (a: Entry | undefined, b: Entry | undefined) =>
  a && b && a.from === b.from && a.name === b.name && +new Date(b.at) - +new Date(a.at) < TOGETHER;

function Line({ ui, e, prev, next, last }: { ui: Ui; e: Entry; prev?: Entry; next?: Entry; last: boolean }) {
  const { w, lang } = ui;
  const at = new Date(e.at);
  const date = day(at, lang);
  const mine = e.from === "visitor";
  const first = !near(prev, e);
  return (
    <>
      {date !== day(prev ? new Date(prev.at) : new Date(), lang) && <p class="day">{date}</p>}
      <div class={`row ${e.from}${first ? " first" : ""}`} aria-live={mine ? "off" : undefined}>
        {mine ? <span class="sr">{w.you}: </span> : first && e.name && <bdi class="meta">{e.name}</bdi>}
        <Body text={e.text} files={e.attachments || []} ui={ui} />
        {!near(e, next) && (
          <p class="meta">
            {clock(at, lang)}
            {mine && last && ` ✓ ${w.sent}`}
          </p>
        )}
      </div>
    </>
  );
}

function Waiting({ ui, p }: { ui: Ui; p: Pending }) {
  const { w, store } = ui;
  return (
    <div class="row visitor first wait" aria-live="off">
      <span class="sr">{w.you}: </span>
      <Body text={p.text} files={p.files} ui={ui} />
      {p.failed ? (
        <p class="meta bad" role="alert">
          {reason(w, p.failed)}
          <button onClick={() => store.retry(p)}>{w.retry}</button>
          <button onClick={() => store.discard(p)}>{w.drop}</button>
        </p>
      ) : (
        <p class="meta">
          {p.file && <progress value={p.progress} aria-label={w.sending} />}
          {store.lost ? w.waiting : w.sending}
        </p>
      )}
    </div>
  );
}

function Body({ text, files, ui }: { text: string; files: Attachment[]; ui: Ui }) {
  return (
    <>
      {files.map((f) => (
        <FileCard f={f} url={ui.store.local[f.name + f.size] || f.url} />
      ))}
      {text && <Bubble text={text} />}
    </>
  );
}

function FileCard({ f, url }: { f: Attachment; url: string }) {
  // A picture has its box before it has its bytes: nothing jumps when it arrives.
  const picture = /^image\/(?!svg)/.test(f.type);
  return (
    <a class={picture ? "pic" : "bubble"} href={url} target="_blank" rel="noopener">
      {picture ? <img src={url} alt={f.name} /> : <bdi>{f.name}</bdi>}
    </a>
  );
}

/** Text with its web addresses made clickable. */
function Bubble({ text }: { text: string }) {
  const parts: ComponentChildren[] = text.split(
    /(https?:\/\/[^\s<>"'，。；！？、）】》]*[^\s<>"'，。；！？、）】》.,;:!?)\]])/,
  );
  for (let i = 1; i < parts.length; i += 2) {
    const url = parts[i] as string;
    parts[i] = (
      <a href={url} target="_blank" rel="noopener nofollow">
        {url}
      </a>
    );
  }
  return (
    <div class="bubble" dir="auto">
      {parts}
    </div>
  );
}

function Composer(ui: Ui) {
  const { store, w } = ui;
  return (
    <footer>
      {store.notice && (
        <p class="bad" role="alert">
          {reason(w, store.notice)}
        </p>
      )}
      <div class="box">
        <label>
          <input
            type="file"
            class="sr"
            aria-label={w.attach}
            onChange={(e) => {
              ui.files(e.currentTarget.files);
              e.currentTarget.value = "";
            }}
          />
          <Icon d={plus} />
        </label>
        <textarea
          id="text"
          rows={1}
          dir="auto"
          placeholder={w.write}
          aria-label={w.write}
          enterkeyhint="send"
          onInput={ui.input}
          onKeyDown={ui.press}
          onBlur={() => store.typed(false)}
          onPaste={(e) => ui.files(e.clipboardData?.files)}
        />
        <button class="go" aria-label={w.send} disabled={ui.empty} onClick={ui.submit}>
          <Icon d={arrow} />
        </button>
      </div>
      <p class="by">Hearback 回音</p>
    </footer>
  );
}
